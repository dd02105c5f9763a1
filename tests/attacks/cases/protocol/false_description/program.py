serve(lambda operation, arguments: '{"handle": [0, "a list, equal to \\n[6, 3]"]}')
