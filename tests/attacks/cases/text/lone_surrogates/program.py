def summarize(numbers):
    raise ValueError("\ud800\udfff \udc1b[2J \udcff\ud83d")
