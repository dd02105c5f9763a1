serve(lambda operation, arguments: '{"int": "0x6", "tuple": [6, 3]}')
