serve(lambda operation, arguments: '{"defaultdict": ["os.system", []]}')
