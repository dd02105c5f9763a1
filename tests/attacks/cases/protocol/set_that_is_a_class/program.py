serve(lambda operation, arguments: '{"laid_out": ["type", 16, [6, 3, 1], []]}')
