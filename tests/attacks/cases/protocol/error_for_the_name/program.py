send(b'{"to": 1, "value": null, "stage": "run", "calls": {}}')
while True:
    number, _ = json.loads(read(int.from_bytes(read(4), "big")))
    send(b'{"to": %d, "error": {"type": "SystemExit", "message": "0", "bases": ["SystemExit"]}}' % number)
