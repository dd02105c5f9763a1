"""The cost of a report of many verdicts: time, memory, and the seconds until its page can be used.

    python perf/report.py                            100,000 verdicts of a benchmark as large as the paper's
    python perf/report.py --verdicts 10000

The verdicts are synthetic: three models, unedited and edited by five methods, one change at a time and in a sequence.
`edittool report -o` runs in a process of its own; peak memory is what the kernel says of it at its end (VmHWM). The
page is opened in a headless Chromium, once cold: ready is when the list of samples stands there. The measure of the
first is a plain loop over the file with `json.loads`.
"""

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

from edittool.benchmark.builtin import load_builtin
from edittool.schemas.bench import Bench, write_bench
from edittool.schemas.changes import Change
from edittool.schemas.problems import Problem, Test
from edittool.schemas.verdicts import CALLED

SIZES = {"reliability": 259, "generalization": 328, "specificity": 210}
CHANGES = 65
SAMPLES = 5
SPECIFICITY = 3  # problems sampled after each edit
STEPS = (1, 2, 5, 10, 20, 50, 65)
METHODS = ("ft", "grace", "rome", "memit", "pmet")
SECONDS, MEBIBYTES, OPEN_SECONDS = 60, 1024, 3.0
# ru_maxrss would count what this process held when it started that one.
COMMAND = """
import atexit, sys
from edittool.cli.main import main
status = lambda: [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
atexit.register(lambda: print("peak", status(), file=sys.stderr))
main()
"""

Row = dict[str, Any]


def synthetic_bench(folder: Path) -> Bench:
    patterns = list(load_builtin().problems.values())
    kinds = ["builtin_function", "builtin_type", "module_function", "module_class", "builtin_method"]
    usages = ["renamed", "reordered", "keyword_only", "packed", "function"]
    changes = [
        Change(
            f"api{i}",
            f"api{i}",
            f"my_api{i}",
            usages[i % 5],
            f"my_api{i}(x)",
            f"my_api{i} = len\n",
            "",
            i,
            kinds[i // 5 % 5],
        )  # type: ignore[arg-type]
        for i in range(CHANGES)
    ]
    problems = [
        Problem(
            f"{subset}/{i}",
            patterns[i % len(patterns)].prompt,
            "f",
            patterns[i % len(patterns)].solution,
            tuple(Test("", f"assert f({n}) == {n}") for n in range(4)),
            subset,  # type: ignore[arg-type]
            None if subset == "specificity" else f"api{i % CHANGES}",
            updated_solution=patterns[i % len(patterns)].solution,
        )
        for subset, size in SIZES.items()
        for i in range(size)
    ]
    return write_bench(folder, "synthetic", problems, changes)


def synthetic_verdicts(bench: Bench) -> Iterator[Row]:
    """Yield verdicts without end, model after model."""
    luck = random.Random(0)
    for number in itertools.count():
        model = f"synthetic-{number}"
        for world in ("none", "own"):
            for problem in bench.problems.values():
                if world == "own" and problem.change_id is None:
                    continue  # the same as none
                active = [problem.change_id] if world == "own" and problem.change_id else []
                yield from _samples(
                    luck,
                    problem,
                    0.5,
                    model=model,
                    method="none",
                    regime="none",
                    step=0,
                    edited=[],
                    active_changes=active,
                )
        for method in METHODS:
            yield from _instant(luck, bench, model, method)
            yield from _sequence(luck, bench, model, method)


def _instant(luck: random.Random, bench: Bench, model: str, method: str) -> Iterator[Row]:
    for change in bench.changes:
        setting = {"model": model, "method": method, "regime": "instant", "step": 1, "edited": [change]}
        for problem in _problems(luck, bench, [change]):
            yield from _samples(luck, problem, 0.4, **setting, active_changes=[change])


def _sequence(luck: random.Random, bench: Bench, model: str, method: str) -> Iterator[Row]:
    names = list(bench.changes)
    for step in STEPS:
        setting = {"model": model, "method": method, "regime": "sequential", "step": step, "edited": names[:step]}
        for problem in _problems(luck, bench, names[:step]):
            active = [problem.change_id or names[step - 1]]
            yield from _samples(luck, problem, 0.5 / step**0.5, **setting, active_changes=active)


def _problems(luck: random.Random, bench: Bench, changes: list[str]) -> list[Problem]:
    own = [problem for problem in bench.problems.values() if problem.change_id in changes]
    return own + luck.sample([p for p in bench.problems.values() if p.change_id is None], SPECIFICITY)


def _samples(luck: random.Random, problem: Problem, chance: float, **setting: Any) -> Iterator[Row]:
    for index in range(SAMPLES):
        passed = 4 if luck.random() < chance else luck.choice([0, 0, 1, 2])
        name = problem.change_id
        label = luck.choice(["correct_adoption", "workaround"] if passed == 4 else ["misuse", "no_adoption"])
        kind = luck.choice(["missing_name", "bad_call", "assertion", "exception"])
        error = {"type": "Error", "message": "what went wrong, in words", "line": 3, "kind": kind}
        yield {
            "task_id": problem.task_id,
            "solution": f"{problem.solution}# {luck.getrandbits(64):x}\n",
            "sample_index": index,
            **setting,
            "hparams_sha256": f"{setting['method']:0>64}",
            "sample_id": f"{luck.getrandbits(128):032x}",
            "compiles": passed == 4 or kind == "assertion",
            "tests_passed": passed,
            "tests_total": 4,
            "outcome": "passed" if passed == 4 else "partial" if passed else "failed",
            "label": label if name in setting["active_changes"] else None,
            "label_detail": "stale_use",
            **({"called": luck.choice(CALLED)} if name in setting["active_changes"] else {}),
            **(
                {"edit": _record(name if name in setting["edited"] else setting["edited"][-1])}
                if setting["edited"]
                else {}
            ),
            "stage": "run",
            "error": None if passed == 4 else error,
            "tests": [{"passed": n < passed, "error": None if n < passed else error} for n in range(4)],
            "uses": [{"name": name, "kind": "call", "line": 2}] if name else [],
            "calls": {},
            "output": "",
            "duration_ms": 12.3,
            "cpu_ms": 4.5,
        }


def _record(change: str) -> Row:
    """Return the record of the edit that taught `change`."""
    number = int(change.removeprefix("api"))
    before = {
        "nll_before": 5 + number / 100,
        "greedy_tokens_before": 0.125,
        "learned_before": 0,
        "first_rank_before": 900.0,
    }
    after = {
        "nll_after": number / 100,
        "greedy_tokens_after": 0.875,
        "learned_after": number % 5,
        "first_rank_after": 1.0,
    }
    return {"changes": [change], "requests": 4, "target_tokens": 60, **before, **after, "norm": 0.01, "rounded": 0.0}


def run_report(bench: Path, verdicts: Path, output: Path) -> tuple[float, float]:
    """Return seconds and MiB of `edittool report -o`."""
    started = time.perf_counter()
    command = [sys.executable, "-c", COMMAND, "report", str(bench), str(verdicts), "-o", str(output)]
    done = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = time.perf_counter() - started
    return seconds, int(done.stderr.rsplit("peak ", 1)[1]) / 1024


def open_page(path: Path, browser_path: str) -> float:
    """Return the seconds until the page's list of samples stands there."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        started = time.perf_counter()
        page.goto(path.absolute().as_uri(), wait_until="load")
        page.wait_for_selector("[data-ready]", state="attached")
        seconds = time.perf_counter() - started
        browser.close()
    return seconds


def read_plainly(path: Path) -> float:
    started = time.perf_counter()
    with path.open("rb") as file:
        for line in file:
            json.loads(line)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--verdicts", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="a folder to leave the files in")
    parser.add_argument("--browser", default="/usr/bin/chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = options.keep or Path(folder)
        root.mkdir(exist_ok=True)
        bench, verdicts, output = root / "bench", root / "verdicts.jsonl", root / "report"
        rows = itertools.islice(synthetic_verdicts(synthetic_bench(bench)), options.verdicts)
        with verdicts.open("w", encoding="ascii") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        reading = read_plainly(verdicts)
        seconds, mebibytes = run_report(bench, verdicts, output)
        page = output / "report.html"
        opening = open_page(page, options.browser)
        table = Table(
            title=f"{options.verdicts} verdicts, {verdicts.stat().st_size / 2**20:.0f} MiB", title_justify="left"
        )
        for column in ("what", "measured", "limit"):
            table.add_column(column, justify="left" if column == "what" else "right")
        table.add_row("reading the file with json.loads", f"{reading:.1f} s", "")
        table.add_row("edittool report -o", f"{seconds:.1f} s", f"{SECONDS} s")
        table.add_row("its peak memory", f"{mebibytes:.0f} MiB", f"{MEBIBYTES} MiB")
        table.add_row(
            f"opening report.html ({page.stat().st_size / 2**20:.0f} MiB)", f"{opening:.1f} s", f"{OPEN_SECONDS:.0f} s"
        )
        Console().print(table)
        if seconds > SECONDS or mebibytes > MEBIBYTES or opening > OPEN_SECONDS:
            sys.exit("over a limit")


if __name__ == "__main__":
    main()
