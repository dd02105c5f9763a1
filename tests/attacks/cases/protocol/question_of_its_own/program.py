def summarize(numbers):
    body = b'[99, ["name", "summarize"]]'
    os.write(os.open(f"/proc/self/fd/{REQUESTS}", os.O_WRONLY), len(body).to_bytes(4, "big") + body)
    return [0, 0]
