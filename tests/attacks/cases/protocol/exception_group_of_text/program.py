serve(lambda operation, arguments: '!"error": {"type": "E", "message": "m", "args": {"tuple": ["m", [1]]}, "bases": ["ExceptionGroup"]}')
