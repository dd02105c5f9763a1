serve(lambda operation, arguments: '{"Decimal": "1e999999999999999999"}')
