print("=HYPERLINK(\"http://owned\",\"passed\")\n@SUM(1+1)*cmd|' /C calc'!A0\n-2+3\n\t=1", flush=True)


def summarize(numbers):
    raise ValueError("=cmd|' /C calc'!A0\",\"passed\";\r\n+1+1")
