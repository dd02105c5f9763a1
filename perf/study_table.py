"""Print the tables of docs/studies from the reports of a study: each method's edits beside what came of them.

    python perf/study_table.py STUDY/report/greedy/report.json STUDY/report/sampled/report.json

Every number stands in the tables `edits` and `overview` of those files; the rows are of one method, regime and kind of
requests. With several reports, their adoption stands side by side.
"""

import json
import sys
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def main(paths: list[str]) -> None:
    """Print one table for each regime."""
    if not paths:
        print("this needs reports of a study: see the head of the file")
        return
    reports = [_tables(Path(path)) for path in paths]
    edits = {_key(row): row for row in reports[0]["edits"]}
    for regime in ("instant", "sequential"):
        print(f"\n{regime}\n")
        adopted = " | ".join(f"adopted, {Path(path).parent.name}" for path in paths)
        losses = " | ".join(f"specificity, {Path(path).parent.name}" for path in paths)
        header = f"| method | taught | learned | still | NLL | {adopted} | of passing | called right | {losses} |"
        print(header)
        print("| --- " * (header.count("|") - 1) + "|")
        for row in reports[0]["overview"]:
            if row["regime"] == regime:
                others = [next(one for one in report["overview"] if _key(one) == _key(row)) for report in reports]
                print(_line(row, edits.get(_key(row)), others))


def _tables(path: Path) -> dict[str, list[Row]]:
    report = json.loads(path.read_text(encoding="utf-8"))
    return {table["name"]: table["rows"] for table in report["tables"]}


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("method", "regime", "requests", "hparams_sha256"))


def _line(row: Row, edit: Row | None, others: list[Row]) -> str:
    method, _, more = row["method"].partition(" (")
    digest = more.rpartition("hparams ")[2].rstrip(")") if "hparams" in more else ""
    cells = [f"{method} {digest}".strip(), (row["requests"] or "-").partition(",")[0]]
    if edit is None:
        cells += ["-", "-", "-"]
    else:
        now = edit["learned_now"]
        cells += [
            f"{edit['learned_after']} of {edit['targets']}",
            "-" if now is None else f"{now}",
            f"{edit['nll_before']:.2f} -> {edit['nll_after']:.2g}",
        ]
    cells += [_share(one, "adopted") for one in others]
    cells += [_percent(row["adopted_of_passing"]), _percent(row["called_right"])]
    cells += [_points(one) for one in others]
    return f"| {' | '.join(cells)} |"


def _share(row: Row, name: str) -> str:
    low, high = (100 * row[f"{name}_{end}"] for end in ("low", "high"))
    return f"{_percent(row[name])} [{low:.0f}, {high:.0f}]"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _points(row: Row) -> str:
    low, high = row["specificity_change_low"], row["specificity_change_high"]
    return f"{row['specificity_change']:+.1f} [{low:+.0f}, {high:+.0f}]"


if __name__ == "__main__":
    main(sys.argv[1:])
