LIST = '["gc"' + ',"x"' * 1_500_000 + "]"
serve(lambda operation, arguments: '!"value":[0],"bypass":%s,"stage":"run"' % LIST)
