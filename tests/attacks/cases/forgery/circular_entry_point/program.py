summarize = []
summarize.append(summarize)
