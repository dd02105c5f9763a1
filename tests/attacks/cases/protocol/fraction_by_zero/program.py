serve(lambda operation, arguments: '{"Fraction": "1/0"}')
