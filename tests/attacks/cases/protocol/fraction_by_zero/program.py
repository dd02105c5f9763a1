serve(lambda operation, arguments: '{"Fraction": ["0x1", "0x0"]}')
