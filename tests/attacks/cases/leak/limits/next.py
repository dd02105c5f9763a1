import resource

LOWERED = {"NOFILE": 5, "FSIZE": 5, "STACK": 1 << 20, "AS": 1 << 27}
print("lowered:", [name for name, value in LOWERED.items()
                   if resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1] == value])


def summarize(numbers):
    return [sum(numbers), max(numbers, default=None)]
