serve(lambda operation, arguments: '{"Fraction": "1e1000000000"}')
