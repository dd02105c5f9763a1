for number in range(1000):
    open(f"/tmp/{number}", "w").close()
with open("/tmp/large", "wb") as file:
    for _ in range(15):
        file.write(bytes(1 << 20))


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
