"""EvalPlus's eval_results.json: for each task the samples with what EvalPlus found."""

from collections.abc import Iterator, Mapping

from ..answers import Answer, Clues, Fault, Found, Place
from ..opening import Document
from ..values import values
from .rows import kind


def read_evalplus_results(document: Document) -> Iterator[Found]:
    """Yield the samples in order; what EvalPlus found (`base_status`, `plus_status`, ...) is carried.

    Older files have what it found and no programs: faults that say so.
    """
    for value in values(document):
        place = Place(value.line)
        tasks = value.data.get("eval") if isinstance(value.data, Mapping) else None
        if value.fault or not isinstance(tasks, Mapping):
            what = value.fault or f"no object `eval` in {kind(value.data)}"
            yield Fault(place, value.reason if value.fault else "other_shape", what, value.data)
            continue
        for task_id, results in tasks.items():
            for number, result in enumerate(results if isinstance(results, list) else [results]):
                within = Place(value.line, within=f".eval[{task_id!r}][{number}]")
                yield _sample(within, task_id, number, result)


def _sample(place: Place, task_id: str, number: int, result: object) -> Found:
    if not isinstance(result, Mapping) or not isinstance(result.get("solution"), str):
        older = isinstance(result, Mapping) and "nfiles" in result
        what = "the results of an older EvalPlus, without programs: give its samples" if older else "no solution"
        return Fault(place, "no_text", what, {"task_id": task_id, "result": result})
    carried = {name: value for name, value in result.items() if name not in ("task_id", "solution")}
    return Answer(place, result["solution"], "solution", Clues((task_id,)), "none", result, number, carried)
