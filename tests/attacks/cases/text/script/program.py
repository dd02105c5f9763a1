print("</pre><script>alert(document.domain)</script><svg/onload=alert(1)>&lt;", flush=True)


def summarize(numbers):
    raise ValueError("\"'><img src=x onerror=alert(1)>{{7*7}}${7*7}<!--")
