serve(lambda operation, arguments: '!"error": {"type": "E", "message": "m", "args": {"tuple": [{"handle": 0}]}, "bases": ["ValueError"]}')
