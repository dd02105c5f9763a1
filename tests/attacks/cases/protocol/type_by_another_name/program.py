serve(lambda operation, arguments: '{"type": "__import__"}')
