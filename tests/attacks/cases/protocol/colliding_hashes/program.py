VALUES = ",".join('{"int":"%#x"}' % (number * (2**61 - 1)) for number in range(2**33, 2**33 + 100000))
serve(lambda operation, arguments: '{"set":[%s]}' % VALUES)
