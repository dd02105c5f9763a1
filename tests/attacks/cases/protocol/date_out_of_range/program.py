serve(lambda operation, arguments: '{"datetime": [2024, 1, 32, 0, 0, 0, 0, 0, null]}')
