if os.fork() != 0:
    os._exit(0)
serve(lambda operation, arguments: "[0, 0]")
