"""Judges the labelled programs and prints the confusion matrix: `python -m tests.labels.confusion`."""

from .labelled import confusion, judge, read_cases

if __name__ == "__main__":
    print(confusion(judge(read_cases())))
