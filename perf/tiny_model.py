"""Is the shipped tiny model what its code trains? It is trained anew, and held against the one that is there.

    python perf/tiny_model.py            # minutes of one core
    python perf/tiny_model.py --write    # put the new one in the place of the old

It prints whether the files are the same, byte for byte; where they are not, for each tensor the largest difference;
and how many problems of the built-in benchmark each of the two solves as its reference solution does. On another kind
of CPU, or with another PyTorch, sums are rounded otherwise, and the weights differ: what the model knows must not.
"""

import argparse
import filecmp
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file

from edittool.analysis.functions import cut_at_function_end
from edittool.benchmark.builtin import load_builtin
from edittool.editing.model.loading import load_model
from edittool.editing.model.tiny import SHIPPED, tiny_model
from edittool.editing.model.tiny_lessons import lessons_of
from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.schemas.bench import Bench

MOST_TOKENS = 160  # of a program: the longest reference solution has fewer


def main() -> None:
    """Train, compare, and put the new model in its place where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the new model in the place of the shipped one")
    options = parser.parse_args()
    torch.set_num_threads(1)  # with more, sums are taken in another order
    bench = load_builtin()
    with TemporaryDirectory() as folder:
        made = tiny_model(lessons_of(bench), cache=Path(folder), observe=tell)
        print(f"{made.name}: knows {known(made, bench)} of {len(bench.problems)} problems")
        there = SHIPPED / made.name
        if there.is_dir():
            print(f"shipped: knows {known(there, bench)} of {len(bench.problems)} problems")
            compare(made, there)
        else:
            print("no model of these settings and lessons is shipped")
        if options.write:
            shutil.rmtree(SHIPPED, ignore_errors=True)
            shutil.copytree(made, there)


def tell(epoch: int, epochs: int, loss: float) -> None:
    """Print how far the training is."""
    print(f"epoch {epoch} of {epochs}: loss {loss:.4f}", flush=True)


def known(folder: Path, bench: Bench) -> int:
    """Return how many problems the model in `folder` answers, greedily, with the reference solution."""
    model, tokenizer = load_model(str(folder), "cpu")
    draws = [Draw(one.task_id, one.prompt, 0, one.entry_point) for one in bench.problems.values()]
    right = 0
    for batch in sample(model, tokenizer, draws, Sampling(n=1, temperature=0, max_new_tokens=MOST_TOKENS)):
        for draw, text in batch:
            program = draw.prompt + cut_at_function_end(draw.prompt, text, draw.entry_point)
            right += program.strip() == bench.problems[draw.task_id].solution.strip()
    return right


def compare(made: Path, there: Path) -> None:
    """Print in which files, and in which tensors, two folders of a model differ."""
    names = sorted({path.name for folder in (made, there) for path in folder.iterdir()})
    _, other, missing = filecmp.cmpfiles(made, there, names, shallow=False)
    print(f"files that differ: {', '.join((*other, *missing)) or 'none'}")
    if "model.safetensors" in other:
        new, old = (load_file(folder / "model.safetensors") for folder in (made, there))
        for name in sorted(new.keys() & old.keys()):
            print(f"{name}: {float((new[name].float() - old[name].float()).abs().max()):.2e}")


if __name__ == "__main__":
    main()
