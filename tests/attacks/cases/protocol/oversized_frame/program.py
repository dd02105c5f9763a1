def summarize(numbers):
    os.write(REPLIES, b"\xff\xff\xff\xff" + b"[" * 1000)
