def summarize(numbers):
    os.write(REPLIES, bytes(4))
