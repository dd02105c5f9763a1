"""The second seccomp filter: it refuses a program the system calls that only the runner needs.

The container's profile has to allow what starts a container and what the trusted process does: executing a program,
forking, sending signals. The untrusted process gives these up before it is given a program:

- no other program: execve
- no other process: clone, unless it makes a thread; no session of its own; clone3 does not exist, as in the profile,
  whose own number for that (ENOSYS, after which the C library takes clone) gVisor does not know
- signals to itself only, by number or through a descriptor's owner: in a shared container, others wait for their job
- none of prctl but the name of a thread, and whether its own memory may be read

A refused call fails with EPERM, as in the profile. Whatever comes by another table of system calls than this
machine's own (32 bit, x32) ends the process: its numbers mean other calls here.

The filter is a program for the kernel's classic BPF machine. It is assembled when this module is imported, which the
trusted process does once; a process adds its number.
"""

from __future__ import annotations

import _ctypes
import posix
from _ctypes import Structure, _SimpleCData, byref

from .light import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_native: Any = _ctypes


def prctl(option: int, *arguments: Any) -> None:
    """Call prctl for this process; an argument is an int of 32 bits or what `_ctypes.byref` returns. Raises OSError."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    if _native.call_function(_ADDRESS, (option, *padded)) != 0:
        raise OSError(f"prctl {option} was refused")


_ADDRESS = _native.dlsym(_native.dlopen(None, 0), "prctl")

if TYPE_CHECKING:
    from typing import Final

    Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant

PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38
SECCOMP_MODE_FILTER: Final = 2

# Offsets in struct seccomp_data: int nr, __u32 arch, __u64 instruction_pointer, __u64 args[6], all little endian here.
NUMBER: Final = 0
ARCHITECTURE: Final = 4
FIRST_ARGUMENT: Final = 16
SECOND_ARGUMENT: Final = 24

LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
IF_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
IF_NOT_BELOW: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
IF_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
RETURN: Final = 0x06  # BPF_RET | BPF_K

ALLOW: Final = (RETURN, 0, 0, 0x7FFF0000)
REFUSE: Final = (RETURN, 0, 0, 0x00050001)  # SECCOMP_RET_ERRNO, EPERM
UNKNOWN: Final = (RETURN, 0, 0, 0x00050026)  # the same with ENOSYS
KILL: Final = (RETURN, 0, 0, 0x80000000)  # SECCOMP_RET_KILL_PROCESS

X32: Final = 0x40000000  # the bit that marks the numbers of the x32 table, which shares x86_64's architecture word
CLONE_THREAD: Final = 0x00010000
PR_SET_DUMPABLE: Final = 4
PR_SET_NAME: Final = 15
PR_GET_NAME: Final = 16
OF_ITSELF: Final = (PR_SET_DUMPABLE, PR_SET_NAME, PR_GET_NAME)
F_SETOWN: Final = 8  # with F_SETSIG: any signal, to any process of the same user
F_SETSIG: Final = 10
F_SETOWN_EX: Final = 15

OWN_NUMBER: Final = 0xFFFFFFFF  # stands for the process's own until it is known

ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_* of linux/audit.h
NUMBERS: Final = {
    "execve": (59, 221),
    "setsid": (112, 157),
    "clone": (56, 220),
    "clone3": (435, 435),
    "kill": (62, 129),
    "tgkill": (234, 131),
    "prctl": (157, 167),
    "fcntl": (72, 25),
}  # in the order of ARCHITECTURES; there is no other call in the profile that does what is refused here


def numbers_of(machine: str) -> dict[str, int]:
    """Return the numbers that the system calls have on `machine`."""
    column = list(ARCHITECTURES).index(machine)
    return {name: numbers[column] for name, numbers in NUMBERS.items()}


def assemble(machine: str) -> list[Instruction]:
    """Return the filter for `machine`, as uname names it. Raises OSError where it is none that is known."""
    if machine not in ARCHITECTURES:
        raise OSError(f"there is no filter of system calls for {machine}")
    number = numbers_of(machine)
    to_itself = [(LOAD, 0, 0, FIRST_ARGUMENT), (IF_EQUAL, 0, 1, OWN_NUMBER), ALLOW, REFUSE]
    of_a_thread = [(LOAD, 0, 0, FIRST_ARGUMENT), (IF_ANY_BIT, 0, 1, CLONE_THREAD), ALLOW, REFUSE]
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (IF_EQUAL, 1, 0, ARCHITECTURES[machine]),
        KILL,
        (LOAD, 0, 0, NUMBER),
        (IF_NOT_BELOW, 0, 1, X32),
        KILL,
        *_on(number["fcntl"], _one_of(SECOND_ARGUMENT, (F_SETOWN, F_SETSIG, F_SETOWN_EX), REFUSE, ALLOW)),
        *_on(number["clone"], of_a_thread),
        *_on(number["clone3"], [UNKNOWN]),
        *_on(number["kill"], to_itself),
        *_on(number["tgkill"], to_itself),
        *_on(number["prctl"], _one_of(FIRST_ARGUMENT, OF_ITSELF, ALLOW, REFUSE)),
        *_on(number["execve"], [REFUSE]),
        *_on(number["setsid"], [REFUSE]),
        ALLOW,
    ]


def _on(number: int, then: list[Instruction]) -> list[Instruction]:
    """Return what runs `then`, which ends in a return, for the system call `number`, and goes on for any other."""
    return [(IF_EQUAL, 0, len(then), number), *then]


def _one_of(argument: int, values: tuple[int, ...], then: Instruction, otherwise: Instruction) -> list[Instruction]:
    compared = [step for value in values for step in ((IF_EQUAL, 0, 1, value), then)]
    return [(LOAD, 0, 0, argument), *compared, otherwise]


def encode(instructions: list[Instruction], own_number: int) -> bytes:
    """Return `instructions` as an array of struct sock_filter, for the process `own_number`."""
    return b"".join(
        code.to_bytes(2, "little")
        + bytes((if_true, if_false))
        + (own_number if constant == OWN_NUMBER else constant).to_bytes(4, "little")
        for code, if_true, if_false, constant in instructions
    )


class _Length(_SimpleCData):  # type: ignore[type-arg]  # generic for type checkers only
    _type_ = "H"


class _Bytes(_SimpleCData):  # type: ignore[type-arg]
    _type_ = "z"


class _Program(Structure):
    """struct sock_fprog."""

    _fields_ = [("length", _Length), ("instructions", _Bytes)]  # noqa: RUF012


_INSTRUCTIONS: Final = assemble(posix.uname().machine)
_ENCODED: Final = encode(_INSTRUCTIONS, OWN_NUMBER)  # once, and not in each process: it touches many pages


def confine() -> None:
    """Install the filter in this process, for good, and in every thread that it starts. Raises OSError."""
    own = posix.getpid().to_bytes(4, "little")
    program = _Program(len(_INSTRUCTIONS), _ENCODED.replace(OWN_NUMBER.to_bytes(4, "little"), own))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, byref(program))
