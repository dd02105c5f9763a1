import resource

for name, value in {"NOFILE": 5, "FSIZE": 5, "STACK": 1 << 20, "AS": 1 << 27, "CPU": 1}.items():
    resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def summarize(numbers):
    return []
