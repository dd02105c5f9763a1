serve(lambda operation, arguments: '{"handle": 0.5}')
