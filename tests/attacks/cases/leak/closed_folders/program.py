import os

for path in ("/tmp/closed", "/tmp/closed/inner"):
    os.mkdir(path)
    open(f"{path}/file", "w").close()
os.chmod("/tmp/closed/inner", 0)
os.chmod("/tmp/closed", 0)


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
