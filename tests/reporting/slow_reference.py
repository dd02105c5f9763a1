"""The figures of `known_truth` worked out once more, one sample after the other, in fractions and loops.

It shares the definitions with `edittool.reporting` and no code: what it takes from there is how often a resample draws
each problem, which is chance and cannot be worked out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations, product

from edittool.reporting.count.resampling import Resampler

from .known_truth import CHANGES, EDITS, LETTERS, PROBLEMS, Unit, units_of

HALF = Fraction(1, 2)
SUBSETS = ("reliability", "generalization", "specificity")
CRITERIA = ("compile", "partial", "full")
CALLED = ("right", "ill_called", "not_called")
WHEN = ("before", "after", "now")
LABELS = ("correct_adoption", "misuse", "workaround", "no_adoption")
ALPHA, BETA = ("alpha own", "alpha none"), ("beta own",)
SINGLE = ("alpha own", "alpha none", "alpha ft", "alpha batch", "beta own", "beta ft")
SEQUENCE = ("alpha rome 1", "alpha rome 2", "alpha rome 3")
ENDS = ("alpha own", "alpha none", "alpha ft", "alpha rome 3", "alpha batch", "beta own", "beta ft")
EDITED = ("alpha ft", *SEQUENCE, "alpha batch", "beta ft")
STEPS = {"alpha ft": 1, "alpha rome 1": 1, "alpha rome 2": 2, "alpha rome 3": 3, "alpha batch": 3, "beta ft": 1}

Number = int | Fraction | None


@dataclass(frozen=True)
class Term:
    """What a problem adds to a quotient of two sums: to the parts above, and to the wholes below."""

    task: str
    part: Fraction
    whole: Fraction


@dataclass(frozen=True)
class Quotient:
    """A figure with an interval: `value`, and what becomes of it when the problems are drawn anew.

    `again` works the figure out for how often each problem is drawn; `counting` are the problems that count.
    """

    value: Fraction | None
    tasks: tuple[str, ...]
    counting: tuple[str, ...]
    again: Callable[[dict[str, int]], Fraction | None]

    def interval(self, resampler: Resampler) -> tuple[Fraction, Fraction] | None:
        """Return the 2.5th and the 97.5th percentile; None where no subset has two problems that count."""
        if max(Counter(PROBLEMS[task][0] for task in self.counting).values(), default=0) < 2:
            return None
        strata = [PROBLEMS[task][0] for task in self.tasks]
        drawn = [
            self.again(dict(zip(self.tasks, map(int, row), strict=True))) for row in resampler.weights(strata).tolist()
        ]
        known = sorted(value for value in drawn if value is not None)
        return percentile(known, Fraction(25, 1000)), percentile(known, Fraction(975, 1000))


def percentile(values: Sequence[Fraction], share: Fraction) -> Fraction:
    """Return the value that `share` of the sorted `values` lie below, on a straight line between two of them."""
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    return values[below] + (place - below) * (values[above] - values[below])


def quotient(terms: Iterable[Term]) -> Quotient:
    terms = list(terms)
    tasks = tuple(sorted({term.task for term in terms}, key=lambda task: (PROBLEMS[task][0], task)))
    counting = tuple(task for task in tasks if sum(term.whole for term in terms if term.task == task))

    def again(drawn: dict[str, int]) -> Fraction | None:
        below = sum((drawn[term.task] * term.whole for term in terms), Fraction(0))
        above = sum((drawn[term.task] * term.part for term in terms), Fraction(0))
        return above / below if below else None

    return Quotient(again(dict.fromkeys(tasks, 1)), tasks, counting, again)


def mean(values: Iterable[tuple[str, Fraction | None]]) -> Quotient:
    """Return the mean over units, given by task and value; a unit without a value is left out."""
    return quotient(Term(t, Fraction(0) if v is None else v, Fraction(v is not None)) for t, v in values)


# ---- samples and units


def judged(unit: Unit) -> str:
    return unit.letters.replace("!", "")


def meets(letter: str, criterion: str) -> bool:
    found = LETTERS[letter]
    return {"compile": found.compiles, "partial": found.passed >= 1, "full": found.outcome == "passed"}[criterion]


def count(letters: str, criterion: str) -> int:
    return sum(meets(letter, criterion) for letter in letters)


def rate(letters: str, criterion: str) -> Fraction | None:
    return Fraction(count(letters, criterion), len(letters)) if letters else None


def pass_at_k(letters: str, criterion: str, k: int) -> Fraction | None:
    """Return the share of all choices of k samples in which one meets the criterion: every choice is gone through."""
    choices = [any(meets(letter, criterion) for letter in chosen) for chosen in combinations(letters, k)]
    return Fraction(sum(choices), len(choices)) if choices else None


def labels(unit: Unit) -> str:
    """Return the letters that have a label: those judged where the problem's change is active."""
    return "".join(x for x in judged(unit) if unit.change in unit.active and LETTERS[x].label)


def by_subset(units: Sequence[Unit]) -> Iterator[tuple[str, list[Unit]]]:
    for subset in SUBSETS:
        yield subset, [unit for unit in units if unit.subset == subset]
    yield "all", list(units)


def tasks_of(units: Iterable[Unit]) -> int:
    return len({unit.task for unit in units})


@dataclass(frozen=True)
class Pair:
    """A unit of an edited model, and the letters of the unedited one that it is held against."""

    unit: Unit
    base: str

    @property
    def subset(self) -> str:
        return self.unit.subset

    @property
    def task(self) -> str:
        return self.unit.task


def pairs_of(setting: str, against: str) -> list[Pair]:
    base = {(u.task, u.active): u.letters for name in (BETA if "beta" in setting else ALPHA) for u in units_of(name)}
    found = []
    for unit in units_of(setting):
        letters = base.get((unit.task, () if against == "no change" else unit.active))
        if letters is None and unit.change is None:
            letters = base.get((unit.task, ()))  # the stand-in
        if letters and judged(unit):
            found.append(Pair(unit, letters))
    return found


def change_of(pairs: Iterable[Pair], criterion: str) -> Quotient:
    return mean((p.task, 100 * (rate(judged(p.unit), criterion) - rate(p.base, criterion))) for p in pairs)


def plain_mean(values: Iterable[Fraction | None]) -> Fraction | None:
    known = [value for value in values if value is not None]
    return sum(known, Fraction(0)) / len(known) if known else None


# ---- the tables: what a row is known by, and its figures


Row = tuple[tuple[object, ...], dict[str, object]]


def overview() -> Iterator[Row]:
    for name in ENDS:
        units = units_of(name)
        samples = sum(len(unit.letters) for unit in units)
        pairs = pairs_of(name, "same world") if name in EDITED else []
        change = change_of(pairs, "full") if name in EDITED else None
        special = [pair for pair in pairs if pair.subset == "specificity"]
        both = [pair for pair in pairs if labels(pair.unit) and labels_of_base(pair)]
        yield (
            (name, STEPS.get(name)),
            {
                "problems": tasks_of(units),
                "samples": samples,
                "unjudged": samples - sum(len(judged(unit)) for unit in units),
                "undone": 0,  # no row of these says so
                "labelled": sum(len(labels(unit)) for unit in units),
                "passing": sum(count(labels(unit), "full") for unit in units),
                "adopted": share_of_labels(filter(labels, units), "correct_adoption"),
                "adopted_of_passing": of_passing(filter(labels, units), "correct_adoption"),
                **{f"adopted_{subset}": adopted_in(units, subset) for subset in SUBSETS[:2]},
                "called_right": share_of_called(units, "right"),
                "adopted_change": adoption_change(both) if name in EDITED else None,
                "adopted_compared": len({p.task for p in both}) if name in EDITED else None,
                "compile_at_1": mean((u.task, rate(judged(u), "compile")) for u in units),
                "full_at_1": mean((u.task, rate(judged(u), "full")) for u in units),
                "full_change": change,
                "specificity_change": change_of(special, "full") if name in EDITED else None,
            },
        )


def adopted_in(units: Iterable[Unit], subset: str) -> Quotient:
    return share_of_labels([unit for unit in units if unit.subset == subset and labels(unit)], "correct_adoption")


def labels_of_base(pair: Pair) -> str:
    """Return the letters of the baseline that have a label, in the world of the edited model's program."""
    return labels(replace(pair.unit, letters=pair.base))


def adoption_change(pairs: Sequence[Pair]) -> Quotient:
    tasks = tuple(sorted({pair.task for pair in pairs}, key=lambda task: (PROBLEMS[task][0], task)))

    def again(drawn: dict[str, int]) -> Fraction | None:
        def share(letters: Callable[[Pair], str]) -> Fraction | None:
            found = [(drawn[pair.task], [LETTERS[x].label for x in letters(pair)]) for pair in pairs]
            whole = sum(times * len(all_of) for times, all_of in found)
            return Fraction(sum(times * all_of.count(LABELS[0]) for times, all_of in found), whole) if whole else None

        after, before = share(lambda pair: labels(pair.unit)), share(labels_of_base)
        return None if after is None or before is None else 100 * (after - before)

    return Quotient(again(dict.fromkeys(tasks, 1)), tasks, tasks, again)


def answers() -> Iterator[Row]:
    for name in ENDS:
        units = [unit for unit in units_of(name) if unit.change and labels(unit)]
        for change in sorted({unit.change for unit in units if unit.change}):
            some = [unit for unit in units if unit.change == change]
            adopted = share_of_labels(some, "correct_adoption")
            parts = {subset: adopted_in(some, subset).value for subset in SUBSETS[:2]}
            samples = sum(len(labels(unit)) for unit in some)
            yield (
                (name, STEPS.get(name), change),
                {
                    "replacement": f"my_{change.replace('.', '_')}",
                    "adopted": adopted,
                    "answer": answer(adopted, [x for x in parts.values() if x is not None], samples, tasks_of(some)),
                    **{f"adopted_{subset}": value for subset, value in parts.items()},
                    "samples": samples,
                    "problems": tasks_of(some),
                },
            )


def answer(adopted: Quotient, parts: Sequence[Fraction], samples: int, problems: int) -> str:
    """Return the word of the rule in docs/report.md. No two problems of a change are of one subset: no interval."""
    assert max(Counter(PROBLEMS[task][0] for task in adopted.counting).values()) == 1
    if samples < 5 or problems < 2:
        return "too few samples"
    return "no" if (adopted.value or 0) <= Fraction(5, 100) else "sometimes"


def share_of_labels(units: Iterable[Unit], label: str) -> Quotient:
    return quotient(
        Term(u.task, Fraction(sum(LETTERS[x].label == label for x in labels(u))), Fraction(len(labels(u))))
        for u in units
    )


def known_calls(unit: Unit) -> list[str]:
    """Return how the replacement was called in each sample with a label of which that is known."""
    return [found for x in labels(unit) if (found := LETTERS[x].called)]


def share_of_called(units: Iterable[Unit], word: str) -> Quotient:
    found = [(unit.task, known_calls(unit)) for unit in units if labels(unit)]
    return quotient(Term(task, Fraction(calls.count(word)), Fraction(len(calls))) for task, calls in found)


def of_passing(units: Iterable[Unit], label: str) -> Quotient:
    passing = [(u.task, [LETTERS[x].label for x in labels(u) if meets(x, "full")]) for u in units]
    return quotient(Term(task, Fraction(found.count(label)), Fraction(len(found))) for task, found in passing)


def rq1_rates() -> Iterator[Row]:
    sizes = Counter(subset for subset, _ in PROBLEMS.values())
    for name in SINGLE:
        for subset, units in by_subset(units_of(name)):
            samples, n = sum(len(u.letters) for u in units), sum(len(judged(u)) for u in units)
            cells: dict[str, object] = {
                "problems": tasks_of(units),
                "problems_in_bench": sizes[subset] or sizes.total(),
                "samples": samples,
                "unjudged": samples - n,
            }
            for criterion, k in product(CRITERIA, (1, 3, 5)):
                cells[f"{criterion}_at_{k}"] = mean((u.task, pass_at_k(judged(u), criterion, k)) for u in units)
            for k in (1, 3, 5):
                cells[f"too_few_{k}"] = sum(len(judged(u)) < k for u in units)
            yield (name, STEPS.get(name), subset), cells


def rq1_change() -> Iterator[Row]:
    rows = [
        ((name, STEPS[name], subset), list(pairs))
        for name in EDITED
        if name not in SEQUENCE
        for subset, pairs in subsets_of_pairs(name, "same world")
    ]
    tests = {(key, c): sign_flip(pairs, c) for key, pairs in rows for c in CRITERIA}
    corrected = holm({place: p for place, p in tests.items() if p is not None and place[0][2] != "all"})
    for key, pairs in rows:
        cells: dict[str, object] = {"problems": len({pair.task for pair in pairs})}
        for c in CRITERIA:
            cells[f"{c}_before"] = plain_mean(rate(pair.base, c) for pair in pairs)
            cells[f"{c}_after"] = plain_mean(rate(judged(pair.unit), c) for pair in pairs)
            cells[f"{c}_change"] = change_of(pairs, c)
            cells[f"{c}_p"] = tests[key, c]
            cells[f"{c}_p_corrected"] = corrected.get((key, c))
        yield key, cells


def subsets_of_pairs(name: str, against: str) -> Iterator[tuple[str, list[Pair]]]:
    pairs = pairs_of(name, against)
    for subset in (*SUBSETS, "all"):
        yield subset, [pair for pair in pairs if subset in (pair.subset, "all")]


def sign_flip(pairs: Iterable[Pair], criterion: str) -> Fraction | None:
    """Return the share of all changes of sign of the problems' differences that are as far from 0 as what was seen."""
    sums: dict[str, Fraction] = {}
    for pair in pairs:
        change = rate(judged(pair.unit), criterion) - rate(pair.base, criterion)
        sums[pair.task] = sums.get(pair.task, Fraction(0)) + change
    if not sums:
        return None
    flips = list(product((1, -1), repeat=len(sums)))
    far = [abs(sum(s * d for s, d in zip(f, sums.values(), strict=True))) >= abs(sum(sums.values())) for f in flips]
    return Fraction(sum(far), len(flips))


def holm(tests: dict[object, Fraction]) -> dict[object, Fraction]:
    """Return each p times the number of those that are not smaller by rank, never below an earlier one, at most 1."""
    found: dict[object, Fraction] = {}
    for rank, (place, p) in enumerate(sorted(tests.items(), key=lambda item: item[1])):
        found[place] = max([min(Fraction(1), p * (len(tests) - rank)), *found.values()])
    return found


def rq2_curve() -> Iterator[Row]:
    for name in SEQUENCE:
        pairs = dict(subsets_of_pairs(name, "same world"))
        for subset, units in by_subset(units_of(name)):
            cells: dict[str, object] = {"problems": tasks_of(units)}
            for c in CRITERIA:
                cells[f"{c}_at_1"] = mean((u.task, rate(judged(u), c)) for u in units)
                cells[f"{c}_before"] = plain_mean(rate(pair.base, c) for pair in pairs[subset])
                cells[f"{c}_change"] = change_of(pairs[subset], c)
            cells["adoption"] = share_of_labels(units, "correct_adoption")
            yield (name, STEPS[name], subset), cells


def rq2_collapse() -> Iterator[Row]:
    for against in ("same world", "no change"):
        for subset, criterion in product((*SUBSETS, "all"), CRITERIA):
            points = []
            for name in SEQUENCE:
                pairs = dict(subsets_of_pairs(name, against))[subset]
                before = plain_mean(rate(p.base, criterion) for p in pairs)
                after = plain_mean(rate(judged(p.unit), criterion) for p in pairs)
                if before is not None and after is not None:
                    points.append((STEPS[name], before, after))
            yield ("alpha rome 3", against, subset, criterion), collapse(points)


def collapse(points: Sequence[tuple[int, Fraction, Fraction]]) -> dict[str, object]:
    steps, before, after = zip(*points, strict=True)
    area, area_before = trapezoids(steps, after), trapezoids(steps, before)
    lost = [100 * (b - a) for _, b, a in points]
    return {
        "steps": len(steps),
        "last_step": steps[-1],
        "below_half": next((s for s, b, a in points if 2 * a < b), None),
        "below_20": next((s for s, _, a in points if 5 * a < 1), None),
        "area": area,
        "area_before": area_before,
        "area_ratio": area / area_before if area is not None and area_before else None,
        "first_drop": lost[0],
        "largest_drop": max(lost),
    }


def trapezoids(steps: Sequence[int], heights: Sequence[Fraction]) -> Fraction | None:
    pieces = zip(steps, steps[1:], heights, heights[1:], strict=False)
    area = sum(((right - left) * (low + high) / 2 for left, right, low, high in pieces), Fraction(0))
    return area / (steps[-1] - steps[0]) if len(steps) > 1 else None


def rq2_retention() -> Iterator[Row]:
    first: dict[str, Unit] = {}
    for name in SEQUENCE:
        now = [unit for unit in units_of(name) if unit.change and judged(unit)]
        for subset in ("reliability", "generalization", "all"):
            both = [(first[u.task], u) for u in now if u.task in first and subset in (u.subset, "all")]
            if both:
                yield (name, STEPS[name], subset), retention(both)
        for unit in now:
            first.setdefault(unit.task, unit)


def retention(both: Sequence[tuple[Unit, Unit]]) -> dict[str, object]:
    def passing(unit: Unit) -> Fraction:
        return rate(judged(unit), "full") or Fraction(0)

    def adopted(unit: Unit) -> Fraction:
        return Fraction(sum(LETTERS[x].label == "correct_adoption" for x in labels(unit)))

    return {
        "changes": len({now.change for _, now in both}),
        "problems": len({now.task for _, now in both}),
        "full_first": mean((then.task, passing(then)) for then, _ in both),
        "full_now": mean((now.task, passing(now)) for _, now in both),
        "full_kept": quotient(Term(now.task, passing(now), passing(then)) for then, now in both),
        "adoption_first": share_of_labels([then for then, _ in both], "correct_adoption"),
        "adoption_now": share_of_labels([now for _, now in both], "correct_adoption"),
        "adoption_kept": quotient(Term(now.task, adopted(now), adopted(then)) for then, now in both),
    }


def rq3_labels() -> Iterator[Row]:
    for name in ENDS:
        for subset, units in by_subset(units_of(name)):
            if subset != "specificity":
                yield (name, STEPS.get(name), subset), shares(units)


def shares(units: Iterable[Unit]) -> dict[str, object]:
    units = [unit for unit in units if labels(unit)]
    passing = sum(count(labels(unit), "full") for unit in units)
    return {
        "problems": tasks_of(units),
        "labelled": sum(len(labels(unit)) for unit in units),
        **{label: share_of_labels(units, label) for label in LABELS},
        "passing": passing,
        "correct_adoption_in_passing": of_passing(units, "correct_adoption"),
        "workaround_in_passing": of_passing(units, "workaround"),
        "called_known": sum(len(known_calls(unit)) for unit in units),
        **{called: share_of_called(units, called) for called in CALLED},
    }


def rq3_labels_solved() -> Iterator[Row]:
    """Return the same on what the unedited model passes with no change active; beta did only S/a so."""
    for name in ENDS:
        base = [u for one in (BETA if "beta" in name else ALPHA) for u in units_of(one) if not u.active]
        solved = {unit.task for unit in base if 2 * count(unit.letters, "full") >= len(unit.letters)}
        for subset, units in by_subset([unit for unit in units_of(name) if unit.task in solved]):
            if subset != "specificity":
                yield (name, STEPS.get(name), subset), shares(units)


def rq3_called() -> Iterator[Row]:
    for name in ENDS:
        for label in LABELS:
            letters = [LETTERS[x] for unit in units_of(name) for x in labels(unit) if LETTERS[x].label == label]
            found = [letter.called for letter in letters if letter.called]
            counts = {called: found.count(called) for called in CALLED}
            if found:
                part = {f"{called}_share": Fraction(n, len(found)) for called, n in counts.items()}
                yield (name, STEPS.get(name), label), {"samples": len(found), **counts, **part}


def edits() -> Iterator[Row]:
    for name in EDITED:
        records = [record for (setting, _), record in EDITS.items() if setting == name]
        changes = {change for setting, several in EDITS if setting == name for change in several.split(", ")}
        changes |= {change for unit in units_of(name) for change in unit.edited}
        after = [record["learned_after"] for record in records]
        took = {"wholly": after.count(4), "in_part": sum(0 < n < 4 for n in after), "not": after.count(0)}
        sizes = [len(several.split(", ")) for setting, several in EDITS if setting == name]
        cells = targets(records)
        whole = cells["targets"]
        yield (
            (name, STEPS.get(name)),
            {
                "changes": len(changes),
                "edits": len(records),
                **{f"took_{word}": n if records else None for word, n in took.items()},
                **{f"took_{word}_share": Fraction(n, len(records)) if records else None for word, n in took.items()},
                "targets_per_change": sum(Fraction(4, n) for n in sizes) / len(sizes) if sizes else None,
                "keyed_on_api": None,  # no row of these says so
                **cells,
                "learned_share": Fraction(cells["learned_after"], whole) if whole else None,
                "kept_share": Fraction(cells["learned_now"], whole) if cells["learned_now"] is not None else None,
                "not_finite": sum(record["nll_after"] is None for record in records) if records else None,
                "seconds": None,
                "peak_memory_mib": None,
            },
        )


def targets(records: Sequence[dict[str, object]]) -> dict[str, object]:
    def known(name: str) -> list[tuple[Fraction, int]]:
        found = [(record.get(name), record["target_tokens"]) for record in records]
        return [(Fraction(value), tokens) for value, tokens in found if value is not None]

    def over_tokens(name: str) -> Fraction | None:
        """Return the mean of what is finite before and after: an edit that left NaN is in neither."""
        finite = [r for r in records if r["nll_after"] is not None or not name.startswith("nll")]
        found = [(Fraction(r[name]), r["target_tokens"]) for r in finite if name in r]
        return sum((v * n for v, n in found), Fraction(0)) / sum(n for _, n in found) if found else None

    def middle(name: str) -> Fraction | None:
        values = sorted(value for value, _ in known(name))
        half = len(values) // 2
        return (values[half] + values[~half]) / 2 if values else None

    cells: dict[str, object] = {"targets": 4 * len(records) if records else None}
    cells |= {
        f"learned_{w}": int(sum(v for v, _ in known(f"learned_{w}"))) if known(f"learned_{w}") else None for w in WHEN
    }
    cells |= {f"{name}_{when}": over_tokens(f"{name}_{when}") for name in ("nll", "greedy_tokens") for when in WHEN}
    return cells | {name: middle(name) for name in (*(f"first_rank_{when}" for when in WHEN), "norm", "rounded")}


def edits_by_change() -> Iterator[Row]:
    for name in EDITED:
        for (setting, change), record in sorted(EDITS.items()):
            if setting == name and name in ENDS:
                took = {4: "wholly", 0: "not"}.get(record["learned_after"], "in part")
                costs = {"seconds": None, "peak_memory_mib": None}
                nll = {f"nll_{w}": Fraction(v) if (v := record.get(f"nll_{w}")) is not None else None for w in WHEN}
                yield (name, STEPS[name], change), {"took": took, **targets([record]), **nll, **costs}


def _by(group: Callable[[str], str]) -> Iterator[Row]:
    for name in ENDS:
        found: dict[str, list[Unit]] = {}
        for unit in units_of(name):
            if unit.change and labels(unit):
                found.setdefault(group(unit.change), []).append(unit)
        for value in sorted(found):
            yield (name, STEPS.get(name), value), shares(found[value])


def rq3_by_kind() -> Iterator[Row]:
    return _by(lambda change: CHANGES[change][0] or "unknown")


def rq3_by_usage() -> Iterator[Row]:
    return _by(lambda change: CHANGES[change][1])


def rq3_by_change() -> Iterator[Row]:
    return _by(lambda change: change)


def rq3_details() -> Iterator[Row]:
    for name in ENDS:
        found = [LETTERS[letter] for unit in units_of(name) for letter in labels(unit)]
        totals = Counter(letter.label for letter in found)
        counts = Counter((letter.label, letter.detail or "none given") for letter in found)
        for (label, detail), samples in sorted(
            counts.items(), key=lambda item: (LABELS.index(str(item[0][0])), -item[1], item[0][1])
        ):
            yield (
                (name, STEPS.get(name), label, detail),
                {
                    "samples": samples,
                    "share_of_label": Fraction(samples, totals[label]),
                    "share_of_labelled": Fraction(samples, len(found)),
                },
            )


def rq4_failures() -> Iterator[Row]:
    order = (
        "no_program syntax timeout out_of_memory output_limit crashed missing_api ill_called_api missing_entry_point "
        "load exception wrong_result unknown"
    ).split()
    for name in ENDS:
        for subset, units in by_subset(units_of(name)):
            letters = "".join(judged(unit) for unit in units)
            reasons = Counter(LETTERS[letter].failure for letter in letters if LETTERS[letter].failure)
            for reason in order:
                if reasons[reason]:
                    yield (
                        (name, STEPS.get(name), subset, reason),
                        {
                            "samples": reasons[reason],
                            "share_of_failing": Fraction(reasons[reason], reasons.total()),
                            "share_of_judged": Fraction(reasons[reason], len(letters)),
                        },
                    )


def rq4_instability() -> Iterator[Row]:
    for name in ENDS:
        for subset, units in by_subset([unit for unit in units_of(name) if len(judged(unit)) >= 2]):
            if units:
                passed = [(u.task, rate(judged(u), "full")) for u in units]
                yield (
                    (name, STEPS.get(name), subset),
                    {
                        "problems": tasks_of(units),
                        "unstable": sum(value not in (0, 1) for _, value in passed),
                        "share": mean((task, Fraction(value not in (0, 1))) for task, value in passed),
                        "always": mean((task, Fraction(value == 1)) for task, value in passed),
                        "never": mean((task, Fraction(value == 0)) for task, value in passed),
                    },
                )


def rq4_regressions() -> Iterator[Row]:
    for name in EDITED:
        passed = [p for p in pairs_of(name, "same world") if p.unit.change is None and rate(p.base, "full") >= HALF]
        lost = [pair for pair in passed if rate(judged(pair.unit), "full") < HALF]
        edits = {pair.unit.edited for pair in passed}
        taught = {
            unit.edited
            for unit in units_of(name)
            if unit.subset == "reliability" and any(LETTERS[x].label == "correct_adoption" for x in labels(unit))
        }
        broken = {pair.unit.edited for pair in lost}
        good = edits & taught
        yield (
            (name, STEPS[name]),
            {
                "passed_before": len(passed),
                "regressions": len(lost),
                "share": mean((pair.task, Fraction(pair in lost)) for pair in passed),
                "edits": len(edits),
                "edits_with_regression": len(broken),
                "share_of_edits": Fraction(len(broken), len(edits)) if edits else None,
                "successful_edits": len(good),
                "successful_with_regression": len(good & broken),
                "share_of_successful": Fraction(len(good & broken), len(good)) if good else None,
            },
        )


def rq4_shapley() -> Iterator[Row]:
    for name in (end for end in ENDS if end in EDITED):
        for against in ("same world", "no change"):
            for subset, pairs in subsets_of_pairs(name, against):
                if pairs:
                    yield (name, STEPS[name], against, subset), loss(pairs)


def loss(pairs: Sequence[Pair]) -> dict[str, object]:
    sides = {
        "compile_before": plain_mean(rate(p.base, "compile") for p in pairs),
        "compile_after": plain_mean(rate(judged(p.unit), "compile") for p in pairs),
        "full_before": plain_mean(rate(p.base, "full") for p in pairs),
        "full_after": plain_mean(rate(judged(p.unit), "full") for p in pairs),
    }
    return {
        "problems": len({pair.task for pair in pairs}),
        **sides,
        **{name: split_again(pairs, place) for place, name in enumerate(("loss", "compilation_part", "after_part"))},
    }


def split_again(pairs: Sequence[Pair], place: int) -> Quotient:
    tasks = tuple(sorted({pair.task for pair in pairs}, key=lambda task: (PROBLEMS[task][0], task)))

    def again(drawn: dict[str, int]) -> Fraction:
        def side(letters: Callable[[Pair], str], criterion: str) -> Fraction:
            tries = sum(drawn[pair.task] for pair in pairs)
            return sum((drawn[p.task] * rate(letters(p), criterion) for p in pairs), Fraction(0)) / tries

        before, after = (lambda pair: pair.base), (lambda pair: judged(pair.unit))
        return (
            100
            * split(side(before, "compile"), side(before, "full"), side(after, "compile"), side(after, "full"))[place]
        )

    return Quotient(again(dict.fromkeys(tasks, 1)), tasks, tasks, again)


def split(
    compile_before: Fraction, full_before: Fraction, compile_after: Fraction, full_after: Fraction
) -> tuple[Fraction, Fraction, Fraction]:
    """Return the loss, and what each of two players takes: the mean over both orders in which they can change."""
    loss = full_before - full_after
    if not (compile_before and compile_after):
        return loss, loss, Fraction(0)  # of a side where nothing compiles no more is known
    rest_before, rest_after = full_before / compile_before, full_after / compile_after
    first = compile_before * rest_before - compile_after * rest_before
    last = compile_before * rest_after - compile_after * rest_after
    return loss, (first + last) / 2, loss - (first + last) / 2


TABLES: dict[str, Callable[[], Iterator[Row]]] = {
    table.__name__: table
    for table in (
        edits,
        edits_by_change,
        answers,
        overview,
        rq1_rates,
        rq1_change,
        rq2_curve,
        rq2_collapse,
        rq2_retention,
        rq3_labels,
        rq3_labels_solved,
        rq3_called,
        rq3_by_kind,
        rq3_by_usage,
        rq3_by_change,
        rq3_details,
        rq4_failures,
        rq4_instability,
        rq4_regressions,
        rq4_shapley,
    )
}
