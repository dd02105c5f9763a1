serve(lambda operation, arguments: '{"laid_out": ["set", 1073741824, [6, 3], []]}')
