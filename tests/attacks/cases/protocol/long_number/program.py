serve(lambda operation, arguments: "1" + "0" * 100000)
