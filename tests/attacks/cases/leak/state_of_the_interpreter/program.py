import builtins
import os
import random
import sys

builtins.sum = builtins.max = lambda *args, **kwargs: 0
sys.modules["json"] = None
sys.path[:] = []
sys.setrecursionlimit(100)
os.environ["LEFT"] = "1"
os.umask(0o777)
os.chdir("/tmp")
random.seed(1)


def summarize(numbers):
    return []
