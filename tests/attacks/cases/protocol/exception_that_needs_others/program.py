serve(lambda operation, arguments: '!"error": {"type": "E", "message": "m", "args": {"tuple": [5]}, "bases": ["UnicodeDecodeError"]}')
