serve(lambda operation, arguments: "[1e999, -1e999]")
