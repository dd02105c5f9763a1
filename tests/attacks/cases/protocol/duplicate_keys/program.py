TWICE = '!"to": 0, "to": 10, "value": [6, 3], "value": [0], "stage": "run"'
serve(lambda operation, arguments: TWICE)
