REPLY = '!"value": [0], "stage": "run", "trace": {"0": ["%s"], "x": 1}, "bypass": ["nothing", 1, {}]' % ("x" * 10**6)
serve(lambda operation, arguments: REPLY)
