serve(lambda operation, arguments: '{"instance": [0, [6, 3]]}')
