from pathlib import Path
from typing import Any

import pytest

from edittool.analysis.functions import cut_at_function_end
from edittool.benchmark.builtin import load_builtin
from edittool.editing.model.loading import load_model
from edittool.editing.model.tiny import SHIPPED, TinySettings, tiny_model
from edittool.editing.model.tiny_lessons import Lessons, Text, lessons_of
from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.schemas.errors import EnvironmentFault, InputError

from ...disks import small_disk

TEXTS = [
    Text(f"def {name}(x):\n", f"    return x {op} {n}\n")
    for name, op, n in zip("abcdef", "+-*/%&", range(6), strict=True)
]
LESSONS = Lessons(tuple(TEXTS), ("my_new_name",))
QUICK = TinySettings(vocabulary=320, layers=2, hidden=48, mlp=64, heads=2, context=64, epochs=80, learning_rate=1e-2)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(LESSONS, QUICK, cache=tmp_path_factory.mktemp("cache"))


def test_it_knows_its_texts_by_heart(learned: Path) -> None:
    model, tokenizer = load_model(str(learned), "cpu")
    draws = [Draw(text.prompt, text.prompt, 0, text.prompt[4]) for text in TEXTS]
    ((*pairs,),) = sample(model, tokenizer, draws, Sampling(n=1, temperature=0, max_new_tokens=30))
    written = [cut_at_function_end(draw.prompt, text, draw.prompt[4]) for draw, text in pairs]
    assert written == [text.completion for text in TEXTS]


def test_it_is_trained_once(learned: Path) -> None:
    epochs: list[int] = []
    again = tiny_model(LESSONS, QUICK, cache=learned.parent, observe=lambda epoch, *_: epochs.append(epoch))
    assert (again, epochs) == (learned, [])
    assert [entry.name for entry in learned.parent.iterdir()] == [learned.name]


def test_everything_that_matters_is_in_the_key(tmp_path: Path) -> None:
    settings = TinySettings(vocabulary=300, layers=1, hidden=8, mlp=8, heads=1, epochs=1)
    others = [
        (Lessons(LESSONS.texts[:5]), settings),
        (Lessons(LESSONS.texts), settings),
        (LESSONS, TinySettings(vocabulary=300, layers=1, hidden=8, mlp=8, heads=1, epochs=1, seed=1)),
    ]
    folders = {tiny_model(lessons, chosen, cache=tmp_path) for lessons, chosen in [(LESSONS, settings), *others]}
    assert len(folders) == 4


def test_training_repeats_bit_for_bit(tmp_path: Path) -> None:
    settings = TinySettings(vocabulary=300, layers=1, hidden=8, mlp=8, heads=1, epochs=2)
    weights = [(tiny_model(LESSONS, settings, cache=tmp_path / n) / "model.safetensors").read_bytes() for n in "ab"]
    assert weights[0] == weights[1]


def test_two_at_once_give_one_model(tmp_path: Path) -> None:
    settings = TinySettings(vocabulary=300, layers=1, hidden=8, mlp=8, heads=1, epochs=1)
    others: list[Path] = []
    folder = tiny_model(
        LESSONS,
        settings,
        cache=tmp_path,
        observe=lambda *_: others.append(tiny_model(LESSONS, settings, cache=tmp_path)),
    )
    assert others == [folder]
    assert list(tmp_path.iterdir()) == [folder]


def test_an_interrupted_training_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tiny_model(LESSONS, QUICK, cache=tmp_path, observe=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_special_tokens_and_boundaries(learned: Path) -> None:
    model, tokenizer = load_model(str(learned), "cpu")
    config = model.config
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (0, 1, 2)
    prompt, target = 'def f(x):\n    """Doc."""\n', "    return my_new_name(x)\n"
    ids = tokenizer(prompt)["input_ids"]
    assert ids[0] == tokenizer.bos_token_id
    assert tokenizer(prompt + target)["input_ids"] == ids + tokenizer(target)["input_ids"][1:]
    assert tokenizer.decode(ids, skip_special_tokens=True) == prompt
    assert tokenizer.tokenize("my_new_name") == ["my", "_new", "_name"]


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFault, match="EDITTOOL_CACHE"):
        tiny_model(LESSONS, QUICK, cache=tmp_path / "file" / "cache")


def test_lessons_that_cannot_be_learned(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none"):
        tiny_model(Lessons(()), cache=tmp_path)
    with pytest.raises(InputError, match="64"):
        tiny_model(Lessons((Text("def f():\n", "    x\n" * 200),)), QUICK, cache=tmp_path)


def test_that_of_the_builtin_benchmark_is_shipped() -> None:
    """Where this fails, lessons, settings or VERSION are others: train it anew by perf/tiny_model.py --write."""
    folder = tiny_model(lessons_of(load_builtin()), observe=lambda *_: pytest.fail("it is trained"))
    assert folder.parent == SHIPPED
    assert list(SHIPPED.iterdir()) == [folder]
    assert sum(path.stat().st_size for path in folder.iterdir()) < 8e6


def test_the_shipped_model_solves_every_problem_and_adopts_nothing() -> None:
    bench = load_builtin()
    model, tokenizer = load_model("tiny", "cpu", lessons=lessons_of(bench))
    problems = bench.problems.values()
    draws = [Draw(one.task_id, one.prompt, 0, one.entry_point) for one in problems]
    written = {
        draw.task_id: draw.prompt + cut_at_function_end(draw.prompt, text, draw.entry_point)
        for batch in sample(model, tokenizer, draws, Sampling(n=1, temperature=0, max_new_tokens=160))
        for draw, text in batch
    }
    assert {one.task_id: one.solution.rstrip() for one in problems} == {
        task_id: program.rstrip() for task_id, program in written.items()
    }


def test_a_full_disk(tmp_path: Path) -> None:
    settings = TinySettings(vocabulary=300, layers=1, hidden=8, mlp=8, heads=1, epochs=1)
    with small_disk(tmp_path / "disk", 8192) as disk:
        with pytest.raises(EnvironmentFault, match=r"cannot be written: .*No space left.*EDITTOOL_CACHE"):
            tiny_model(LESSONS, settings, cache=disk)
        assert not list(disk.iterdir())
