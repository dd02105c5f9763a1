serve(lambda operation, arguments: '{"int": "0x%s"}' % ("f" * 7000000))
