"""A benchmark like HumanEval and MBPP in small: numbers that both have, functions that two problems share."""

from edittool.schemas.bench import MANIFEST, Bench, write_bench
from edittool.schemas.problems import Problem, Test
from edittool.schemas.rejections import Rejection

PROGRAMS = {
    "HumanEval/0": ("has_close", "Say whether two of the given numbers are close."),
    "HumanEval/1": ("separate", "Separate groups of parentheses from each other."),
    "HumanEval/2": ("truncate", "Return the decimals of a positive number."),
    "MBPP/1": ("min_cost", "Write a function to find the least cost of a path."),
    "MBPP/2": ("similar", "Write a function to find what two tuples share."),
    "MBPP/7": ("count", "Write a function to count what is true in a list."),
    "MBPP/11": ("count", "Write a function to count what is false in a list."),
}
LEFT_OUT = [Rejection("MBPP/3", None, "no_tests", "it has none"), Rejection(None, "sorted", "rare", "used once")]


def problem(task_id):
    name, what = PROGRAMS[task_id]
    if task_id.startswith("HumanEval"):
        prompt = f'def {name}(given):\n    """ {what} """\n'
        solution = prompt + "    return given\n"
    else:
        prompt = f'"""\n{what}\nassert {name}(1) == 1\n"""\n'
        solution = prompt + f"def {name}(given):\n    return given\n"
    return Problem(task_id, prompt, name, solution, (Test("", f"assert {name}(1) == 1"),), "specificity", None)


def small_bench(folder):
    if (folder / MANIFEST).exists():
        return Bench.load(folder)
    return write_bench(folder, "small", [problem(task_id) for task_id in PROGRAMS], [], rejections=LEFT_OUT)


def program(task_id):
    name = PROGRAMS[task_id][0]
    return f"def {name}(given):\n    return given\n"
