serve(lambda operation, arguments: '{"type": "subprocess.Popen"}')
