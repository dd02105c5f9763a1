import time


def summarize(numbers):
    os.close(REQUESTS)
    send(b'{"to": %d, "value": [0, 0], "stage": "run", "calls": {}}' % asked())
    time.sleep(1000)
