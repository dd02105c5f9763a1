serve(lambda operation, arguments: '{"deque": [1, [6, 3]]}')
