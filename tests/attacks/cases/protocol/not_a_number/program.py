serve(lambda operation, arguments: "NaN")
