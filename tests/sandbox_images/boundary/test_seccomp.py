"""The list of system calls that the sandbox allows: what it is made of, what must never be on it, and its page."""

import json
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from edittool.judging.sandbox.flags import seccomp_profile
from edittool.sandbox_images.python.boundary.syscall_filter import numbers_of

PROFILE = json.loads(files("edittool.sandbox_images.python").joinpath("image", "seccomp.json").read_text("ascii"))
# With arguments that the profile looks at, they are allowed in part.
CONDITIONAL = ("clone", "ioctl", "prlimit64", "socketpair")
PAGE = (Path(__file__).parents[3] / "docs" / "seccomp.md").read_text(encoding="utf-8")
HARMLESS_REQUESTS = {0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451}  # TCGETS TIOCGWINSZ FIONREAD FIONBIO FIO(N)CLEX
NEW_NAMESPACES = 0x7E020000  # CLONE_NEWUSER | NEWPID | NEWNET | NEWIPC | NEWUTS | NEWCGROUP | NEWNS
FORBIDDEN = """
    accept accept4 acct add_key adjtimex afs_syscall bind bpf chown chroot clock_adjtime clock_settime
    connect create_module delete_module fanotify_init fanotify_mark fchown fchownat finit_module fsconfig fsmount
    fsopen fspick get_kernel_syms get_mempolicy getxattr init_module inotify_add_watch inotify_init inotify_init1
    io_cancel io_destroy io_getevents io_setup io_submit io_uring_enter io_uring_register io_uring_setup ioperm iopl
    kcmp kexec_file_load kexec_load keyctl landlock_create_ruleset lchown listen lookup_dcookie mbind memfd_create
    memfd_secret migrate_pages mknod mknodat mlock mlockall modify_ldt mount mount_setattr move_mount move_pages
    mq_open mq_notify msgget name_to_handle_at nfsservctl open_by_handle_at open_tree perf_event_open personality
    execveat fork vfork setpgid tkill seccomp
    pidfd_getfd pidfd_open pidfd_send_signal pivot_root pkey_alloc process_madvise process_vm_readv
    process_vm_writev ptrace quotactl reboot request_key rt_sigqueueinfo rt_tgsigqueueinfo sched_setaffinity
    sched_setattr sched_setparam sched_setscheduler semget set_mempolicy setdomainname sethostname setns setpriority
    settimeofday setxattr shmat shmget signalfd socket splice stime swapoff swapon syslog tee umount
    umount2 unshare uselib userfaultfd ustat vhangup vmsplice
""".split()


def rules(name):
    return [rule for rule in PROFILE["syscalls"] if name in rule["names"]]


def test_what_is_not_named_is_refused():
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"
    assert PROFILE["defaultErrnoRet"] == 1  # EPERM


def test_the_engine_gets_the_same_profile_inline():
    assert json.loads(seccomp_profile()) == PROFILE


def test_each_call_is_named_once_and_each_rule_says_why():
    names = Counter(name for rule in PROFILE["syscalls"] for name in rule["names"])
    assert {name for name, times in names.items() if times > 1} == {"ioctl"}  # a rule for each request
    assert all(rule.get("comment") for rule in PROFILE["syscalls"])
    assert all(rule["names"] == sorted(rule["names"]) for rule in PROFILE["syscalls"])


def test_is_not_on_the_list(subtests):
    for name in FORBIDDEN:
        with subtests.test(name):
            assert rules(name) == []


@pytest.mark.parametrize("name", CONDITIONAL)
def test_is_allowed_with_certain_arguments_only(name):
    assert rules(name)
    for rule in rules(name):
        assert rule["action"] == "SCMP_ACT_ALLOW"
        assert len(rule["args"]) == 1


def test_ioctl_asks_harmless_questions_only():
    arguments = [argument for rule in rules("ioctl") for argument in rule["args"]]
    assert {argument["value"] for argument in arguments} == HARMLESS_REQUESTS
    assert {(argument["index"], argument["op"]) for argument in arguments} == {(1, "SCMP_CMP_EQ")}


def test_no_other_rule_looks_at_arguments():
    assert {name for rule in PROFILE["syscalls"] if rule.get("args") for name in rule["names"]} == set(CONDITIONAL)


def test_clone_makes_no_namespace():
    (argument,) = rules("clone")[0]["args"]
    assert argument["op"] == "SCMP_CMP_MASKED_EQ"
    assert (argument["value"], argument["valueTwo"]) == (NEW_NAMESPACES, 0)


def test_clone3_does_not_exist():
    (rule,) = rules("clone3")
    assert (rule["action"], rule["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)  # ENOSYS


# The page


def calls_of(part: str) -> list[str]:
    """Return the calls that the tables in the first column of `part` name; a table of requests names none."""
    tables = [table for table in part.strip().split("\n\n") if table.startswith(("| call |", "| calls |"))]
    cells = [line.split("|")[1] for table in tables for line in table.splitlines()[2:]]
    return re.findall(r"`(\w+)`", " ".join(cells))


def part(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_page_has_each_call_of_the_profile_once():
    named = calls_of(part("The container's profile"))
    assert sorted(named) == sorted({name for rule in PROFILE["syscalls"] for name in rule["names"]})


def test_the_page_has_the_groups_of_the_profile():
    groups = re.findall(r"^### (.+)$", part("The container's profile"), re.MULTILINE)
    comments = [rule["comment"] for rule in PROFILE["syscalls"] if rule["names"] != ["ioctl"]]
    assert groups == [comment[0].upper() + comment[1:] for comment in comments] + ["Questions to a descriptor"]


def test_the_page_has_each_request_of_ioctl():
    requests = {rule["comment"].split(":")[1].strip() for rule in rules("ioctl")}
    table = part("The container's profile").partition("| request |")[2]
    assert set(re.findall(r"`([A-Z]+)`", table)) == requests


def test_the_page_has_each_call_of_the_second_filter_once():
    assert sorted(calls_of(part("The second filter"))) == sorted(numbers_of("x86_64"))


def test_what_the_page_says_is_refused_is_refused():
    refused = calls_of(part("Considered and refused"))
    assert len(refused) == len(set(refused)) > 100
    assert [name for name in refused if rules(name)] == []
