serve(lambda operation, arguments: '{"eval": "True"}')
