def summarize(numbers):
    send(b'{"to": %d, "value": [6, 3], "stage": "run", "calls": {}}' % (asked() - 1))
