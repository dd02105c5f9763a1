LIST = '["x"' + ',"x"' * 100_000 + "]"
serve(lambda operation, arguments: '!"error":{"type":"E","message":"m","bases":%s},"stage":"run"' % LIST)
