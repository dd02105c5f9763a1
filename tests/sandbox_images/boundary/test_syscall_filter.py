"""The second seccomp filter, run by an interpreter of the kernel's BPF machine: what it says for either architecture.

The probes in real containers (test_seccomp_probes.py) show that a kernel says the same.
"""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.sandbox_images.python.boundary.syscall_filter import ARCHITECTURES, assemble, encode, numbers_of

OWN = 8
ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
THREAD = 0x3D0F00  # what the C library passes to clone for a thread
SIGCHLD = 17
EACH_MACHINE = pytest.mark.parametrize("machine", ARCHITECTURES)


def run(program: bytes, data: bytes) -> int:
    """Run a classic BPF program as the kernel does, and return what it returns."""
    instructions = list(struct.iter_unpack("<HBBI", program))
    accumulator = place = 0
    while True:
        code, if_true, if_false, constant = instructions[place]
        place += 1
        if code == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, constant)
        elif code == 0x06:
            return constant
        else:
            tests = {0x15: accumulator == constant, 0x35: accumulator >= constant, 0x45: bool(accumulator & constant)}
            place += if_true if tests[code] else if_false


def ask(machine: str, name: str | int, *arguments: int, architecture: int | None = None) -> int:
    """Return what the filter of `machine` says to a call of `name`, or of a number, in the process OWN."""
    number = numbers_of(machine)[name] if isinstance(name, str) else name
    padded = [argument % 2**64 for argument in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    word = ARCHITECTURES[machine] if architecture is None else architecture
    return run(encode(assemble(machine), OWN), struct.pack("<IIQ6Q", number, word, 0, *padded))


@EACH_MACHINE
@pytest.mark.parametrize("name", ["execve", "setsid"])
def test_is_refused_whatever_the_arguments(machine, name):
    assert {ask(machine, name, argument) for argument in (0, 1, OWN, THREAD)} == {EPERM}


@EACH_MACHINE
def test_clone_makes_threads_and_no_process(machine):
    assert ask(machine, "clone", THREAD) == ALLOW
    assert ask(machine, "clone", SIGCHLD) == EPERM
    assert ask(machine, "clone", 0x4100 | SIGCHLD) == EPERM  # CLONE_VM | CLONE_VFORK, as posix_spawn does


@EACH_MACHINE
def test_clone3_does_not_exist(machine):
    assert {ask(machine, "clone3", argument) for argument in (0, 1, OWN, THREAD)} == {ENOSYS}


@EACH_MACHINE
@pytest.mark.parametrize("name", ["kill", "tgkill"])
@given(process=st.integers(-(2**31), 2**31 - 1).filter(lambda number: number != OWN))
def test_signals_go_to_the_process_itself_only(machine, name, process):
    assert ask(machine, name, OWN, 9) == ALLOW
    assert ask(machine, name, process, 9) == EPERM


@EACH_MACHINE
@given(option=st.integers(0, 2**32 - 1) | st.integers(0, 100))
def test_of_prctl_only_what_concerns_the_process_alone_is_left(machine, option):
    # PR_SET_DUMPABLE, PR_SET_NAME, PR_GET_NAME
    assert ask(machine, "prctl", option) == (ALLOW if option in (4, 15, 16) else EPERM)
    assert {ask(machine, "prctl", option) for option in (4, 15, 16)} == {ALLOW}


@EACH_MACHINE
def test_no_descriptor_gets_an_owner_or_a_signal(machine):
    refused = {command for command in range(2048) if ask(machine, "fcntl", 3, command) == EPERM}
    assert refused == {8, 10, 15}  # F_SETOWN, F_SETSIG, F_SETOWN_EX


@EACH_MACHINE
@given(number=st.integers(0, 600))
def test_every_other_call_is_left_to_the_profile(machine, number):
    if number not in numbers_of(machine).values():
        assert ask(machine, number, OWN) == ALLOW


@EACH_MACHINE
@given(number=st.integers(0, 2**32 - 1), architecture=st.integers(0, 2**32 - 1))
def test_another_table_of_calls_ends_the_process(machine, number, architecture):
    if architecture != ARCHITECTURES[machine]:
        assert ask(machine, number, architecture=architecture) == KILL


@given(number=st.integers(0x40000000, 2**32 - 1))
def test_the_x32_table_ends_the_process(number):
    assert ask("x86_64", number) == KILL


@EACH_MACHINE
def test_every_jump_ends_inside_and_every_path_in_a_return(machine):
    instructions = assemble(machine)
    assert instructions[-1][0] == 0x06
    for place, (code, if_true, if_false, _) in enumerate(instructions):
        if code in (0x15, 0x35, 0x45):
            assert place + 1 + max(if_true, if_false) < len(instructions)


def test_an_unknown_machine_is_refused():
    with pytest.raises(OSError, match="riscv64"):
        assemble("riscv64")
