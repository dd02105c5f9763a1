serve(lambda operation, arguments: '{"dict": [[[6], 3]]}')
