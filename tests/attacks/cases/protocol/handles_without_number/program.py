HANDLES = "[" + ",".join('{"handle":[%d,"a"]}' % number for number in range(1, 150_000)) + "]"
serve(lambda operation, arguments: HANDLES)
