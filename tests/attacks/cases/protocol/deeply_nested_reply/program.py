serve(lambda operation, arguments: "[" * 1000000 + "]" * 1000000)
