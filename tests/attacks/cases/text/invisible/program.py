def summarize(numbers):
    raise ValueError("a\u200bb\u200c\u200d\u2060\ufeff\u00ad\u180e\U000e0001\U000e0041\U000e007f\u034f")
