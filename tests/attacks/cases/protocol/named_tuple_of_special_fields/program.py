serve(lambda operation, arguments: '{"namedtuple": ["P", ["__eq__"], [1], null]}')
