serve(lambda operation, arguments: '{"namedtuple": ["P", ["x=__import__(0)"], [1], null]}')
