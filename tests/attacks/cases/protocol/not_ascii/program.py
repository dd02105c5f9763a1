def summarize(numbers):
    send(b'{"to": %d, "value": "\xc3\xa9"}' % asked())
