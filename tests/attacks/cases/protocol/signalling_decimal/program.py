serve(lambda operation, arguments: '{"Decimal": "sNaN"}')
