LIST = '["gc"' + ',"x"' * 100_000 + "]"
serve(lambda operation, arguments: '!"value":[0],"bypass":%s,"stage":"run"' % LIST)
