CLASSES = ",".join('{"namedtuple": ["P%d", ["x"], [1], null]}' % number for number in range(200))
serve(lambda operation, arguments: '{"tuple": [%s]}' % CLASSES)
