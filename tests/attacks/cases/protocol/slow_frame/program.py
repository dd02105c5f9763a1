import time

CLOCK = time.monotonic


def summarize(numbers):
    body = b'{"to": %d, "value": [6, 3], "stage": "run", "calls": {}}' % asked()
    for byte in len(body).to_bytes(4, "big") + body:
        os.write(REPLIES, bytes([byte]))
        time.sleep(0.2)
