"""Notes that several tables have: what their baselines lack."""

from collections.abc import Iterator


def baseline_notes(missing: int, stand_ins: int, compared: bool) -> Iterator[str]:
    """Yield what a table of comparisons has to say of the baseline."""
    if not compared:
        yield "No edited model is among the verdicts: there is nothing to compare."
    if missing:
        yield (
            f"{missing} edited problems have no baseline in the same world and are left out. Judge the unedited "
            "model's samples there: `edittool judge BENCH UNEDITED -o FILE --worlds-of SAMPLES`."
        )
    if stand_ins:
        yield (
            f"{stand_ins} specificity problems are held against the unedited model with no change active: it was not "
            "judged in the worlds of the edits, which `--worlds-of` does."
        )
