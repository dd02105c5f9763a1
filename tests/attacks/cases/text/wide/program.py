def summarize(numbers):
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    raise ValueError("\ufdfd" * 20 + "\U00012031" * 20 + "\uff37" * 200 + family * 50 + "\U0001f3f4\U000e0067\U000e007f")
