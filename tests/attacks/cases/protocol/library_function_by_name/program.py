serve(lambda operation, arguments: '{"handle": "builtins:exec"}')
