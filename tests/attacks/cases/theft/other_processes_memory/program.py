import ctypes
import errno
import os

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_SEIZE = 16, 0x4206
# x86-64 and arm64 numbers of the newer calls are the same.
PIDFD_OPEN, PIDFD_GETFD, PROCESS_MADVISE = 434, 438, 440


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def refused(name, result):
    if result == -1 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS, errno.EACCES):
        print("refused", name)
    else:
        print("STOLEN", name, result, ctypes.get_errno())


def summarize(numbers):
    space = ctypes.create_string_buffer(64)
    local = Vector(ctypes.addressof(space), 64)
    remote = Vector(0x400000, 64)
    refused("ptrace attach", LIBC.ptrace(PTRACE_ATTACH, 1, None, None))
    refused("ptrace seize", LIBC.ptrace(PTRACE_SEIZE, 1, None, None))
    refused("readv", LIBC.process_vm_readv(1, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
    refused("writev", LIBC.process_vm_writev(1, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0))
    refused("pidfd_open", LIBC.syscall(PIDFD_OPEN, 1, 0))
    refused("pidfd_getfd", LIBC.syscall(PIDFD_GETFD, 3, 0, 0))
    refused("prlimit", LIBC.prlimit(1, 7, None, None) if os.getpid() != 1 else 0)
    return []
