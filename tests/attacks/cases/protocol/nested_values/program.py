serve(lambda operation, arguments: '{"set": [' * 350 + ']}' * 350)
