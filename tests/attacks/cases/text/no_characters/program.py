def summarize(numbers):
    raise ValueError("\ufffe\uffff\ufdd0\U0001fffe\U0010ffff\ue000\U000f0000\u0378")
