serve(lambda operation, arguments: "[" + "[]," * 2600000 + "[]]")
