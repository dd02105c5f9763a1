import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from edittool.editing import EditContext, EditRequest, apply
from edittool.editing.covariance import one_pass as moments
from edittool.editing.covariance.compute import Computed, Settings, compute_statistics
from edittool.editing.covariance.corpora import Corpus
from edittool.editing.covariance.files import find_covariances
from edittool.editing.methods.hparams import hparams_of
from edittool.editing.methods.table import find_method
from edittool.editing.model.families import modules_of_layers
from edittool.schemas.errors import EnvironmentFault, InputError

from ...disks import small_disk
from ..conftest import make_model

TEXTS = [f"def f{i}(x):\n" + "    x = sorted(x) # ünï\n" * (i * 7 % 5) for i in range(12)] + ["", "x"]
CORPUS = Corpus("texts", TEXTS)
SETTINGS = Settings(samples=13, max_tokens=40, batch_tokens=90)


def compute(model: Any, tokenizer: Any, folder: Path | None, modules: list[str] | None = None, **more: Any) -> Any:
    paths = modules or modules_of_layers(model, [0, 2], attention=True)
    return compute_statistics("owner/name", model, tokenizer, paths, CORPUS, SETTINGS, folder=folder, **more)


def input_of(model: Any, module: str, ids: list[int]) -> Tensor:
    seen: list[Tensor] = []
    hook = model.get_submodule(module).register_forward_hook(lambda _, inputs, output: seen.append(inputs[0][0]))
    with torch.no_grad():
        model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)))
    hook.remove()
    return seen[0]


def derive(model: Any, tokenizer: Any, modules: list[str], texts: list[str], cut: int) -> tuple[dict[str, Tensor], int]:
    """Return C of each module and the number of tokens, from one document at a time, summed in float64."""
    sums = dict.fromkeys(modules, torch.zeros(1, dtype=torch.float64))
    count = 0
    for text in texts:
        ids = tokenizer(text)["input_ids"][:cut]
        for module in modules:
            x = input_of(model, module, ids).double()
            sums[module] = sums[module] + x.T @ x
        count += len(ids)
    return {module: total / count for module, total in sums.items()}, count


def test_the_sums_are_those_of_one_document_at_a_time(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    modules = modules_of_layers(model, [0, 2], attention=True)
    texts = list(CORPUS.sample(13).documents)
    assert len({len(tokenizer(text)["input_ids"]) for text in texts}) > 3  # else nothing would be padded
    expected, count = derive(model, tokenizer, modules, texts, 40)
    found = compute(model, tokenizer, tmp_path)
    assert [(one.module, one.tokens, one.new) for one in found] == [(module, count, True) for module in modules]
    covariances = find_covariances("owner/name", model, tokenizer, modules, stats_dir=tmp_path)
    for module in modules:
        difference = torch.linalg.norm(covariances[module].double() - expected[module])
        assert difference < 1e-6 * torch.linalg.norm(expected[module])


def test_the_check_above_sees_a_mistake(llama: Any, tokenizer: Any) -> None:
    modules = modules_of_layers(llama, [2])
    texts = list(CORPUS.sample(13).documents)
    right = derive(llama, tokenizer, modules, texts, 40)[0][modules[0]]
    for mistake in (derive(llama, tokenizer, modules, texts, 41), derive(llama, tokenizer, modules, texts[1:], 40)):
        assert torch.linalg.norm(mistake[0][modules[0]] - right) > 1e-4 * torch.linalg.norm(right)


def test_an_edit_takes_them(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    compute(llama, tokenizer, tmp_path, modules_of_layers(llama, [0, 1]))
    memit = {"layers": [0, 1], "v_num_grad_steps": 3, "v_lr": 0.5, "v_weight_decay": 1e-3, "clamp_norm_factor": 4.0}
    memit |= {"kl_factor": 0.0625, "mom2_update_weight": 10.0}
    modules = find_method("memit").check(llama, hparams_of(memit, find_method("memit")).values)
    covariance = find_covariances("owner/name", llama, tokenizer, modules, stats_dir=tmp_path)
    request = EditRequest("def f1(x):\n", "f1", "    return sorted(x)\n")
    context = EditContext(templates=["{}"], covariance=covariance)
    edit = apply("memit", llama, tokenizer, [request], memit, context=context)
    assert {name.removesuffix(".weight") for name in edit.deltas()} == set(modules)
    assert all(bool(delta.isfinite().all()) for delta in edit.deltas().values())


def test_names_and_content_of_the_files(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    found = compute(llama, tokenizer, tmp_path)
    folder = tmp_path / "owner_name" / "texts_stats"
    assert found[1].path == folder / "model.layers.0.mlp.down_proj_float32_mom2_t40_13.npz"
    assert {path.name for path in folder.iterdir()} == {one.path.name for one in found} | {".lock"}
    with np.load(found[1].path) as arrays:
        assert (arrays["mom2.mom2"].dtype, arrays["mom2.mom2"].shape) == (np.float32, (48, 48))
        assert (int(arrays["sample_size"]), int(arrays["mom2.count"])) == (13, found[1].tokens)
        about = json.loads(str(arrays["edittool"]))
    assert (about["module"], about["corpus"], about["model"]) == (found[1].module, "texts", "owner/name")
    assert about["key"]["max_tokens"] == 40


def test_the_second_time_nothing_is_read(llama: Any, tokenizer: Any) -> None:
    first = compute(llama, tokenizer, None)
    llama.forward = None  # nobody calls it
    second = compute(llama, tokenizer, None)
    assert [(one.path, one.tokens) for one in second] == [(one.path, one.tokens) for one in first]
    assert not any(one.new for one in second)
    modules = [one.module for one in first]
    assert find_covariances("any/name", llama, tokenizer, modules).files == {one.module: one.path for one in first}


def test_only_what_is_missing_is_computed(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    compute(llama, tokenizer, tmp_path, modules_of_layers(llama, [1]))
    found = compute(llama, tokenizer, tmp_path, modules_of_layers(llama, [0, 1, 2]))
    assert [one.new for one in found] == [True, False, True]


def test_batches_and_other_modules_change_rounding_alone(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    modules = modules_of_layers(llama, [1])
    whole = Settings(samples=13, max_tokens=40)
    compute(llama, tokenizer, tmp_path / "a", modules)
    compute_statistics("owner/name", llama, tokenizer, modules, CORPUS, whole, folder=tmp_path / "b")
    one, other = (
        find_covariances("owner/name", llama, tokenizer, modules, stats_dir=tmp_path / name)[modules[0]]
        for name in ("a", "b")
    )
    assert torch.allclose(one, other, rtol=1e-5, atol=1e-6)


def test_groups_of_documents(llama: Any, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = compute(llama, tokenizer, tmp_path / "a")
    monkeypatch.setattr(moments, "GROUP", 4)
    found = compute(llama, tokenizer, tmp_path / "b")
    for one, other in zip(whole, found, strict=True):
        assert np.allclose(np.load(one.path)["mom2.mom2"], np.load(other.path)["mom2.mom2"], rtol=1e-4, atol=1e-3)


def test_every_module_is_needed_only_up_to_the_last(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    llama.model.layers[2].forward = None
    found = compute(llama, tokenizer, tmp_path, modules_of_layers(llama, [0, 1]))
    assert all(one.new for one in found)
    assert not llama.model.layers[0].mlp.down_proj._forward_pre_hooks


CHANGES: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
    "weights": lambda model, tokenizer: {"model": _nudged(model)},
    "weights' type": lambda model, tokenizer: {"model": model.to(torch.bfloat16)},
    "family": lambda model, tokenizer: {"model": make_model("qwen2")},
    "tokenizer": lambda model, tokenizer: {"tokenizer": _without_bos(tokenizer)},
    "texts": lambda model, tokenizer: {"corpus": Corpus("texts", [*TEXTS[:-1], "y"])},
    "documents": lambda model, tokenizer: {"settings": Settings(12, 40)},
    "tokens": lambda model, tokenizer: {"settings": Settings(13, 39)},
    "dtype": lambda model, tokenizer: {"settings": Settings(13, 40, "float64")},
}


def _nudged(model: Any) -> Any:
    with torch.no_grad():
        model.model.layers[0].self_attn.q_proj.weight[0, 0] += 1e-3
    return model


def _without_bos(tokenizer: Any) -> Any:
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    made: Any = PreTrainedTokenizerFast
    other = made(tokenizer_object=tokenizer.backend_tokenizer.from_str(tokenizer.backend_tokenizer.to_str()))
    other.backend_tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return other


@pytest.mark.parametrize("change", CHANGES)
def test_the_key_tells_all_that_matters(tokenizer: Any, change: str) -> None:
    def place(**inputs: Any) -> Path:
        given = {"model": make_model("llama"), "tokenizer": tokenizer, "corpus": CORPUS, "settings": SETTINGS} | inputs
        modules = modules_of_layers(given["model"], [0])
        (found,) = compute_statistics(
            "m", given["model"], given["tokenizer"], modules, given["corpus"], given["settings"]
        )
        return found.path

    assert place() == place()
    assert place() != place(**CHANGES[change](make_model("llama"), tokenizer))


class Stopped(Exception):
    """The work ends here."""


def stop_after(batches: int) -> Callable[[int, int], None]:
    seen = []

    def observe(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) > batches:
            raise Stopped

    return observe


def contents(found: list[Computed]) -> list[bytes]:
    return [one.path.read_bytes() for one in found]


@pytest.mark.parametrize("group", [3, 256])
def test_interrupted_and_resumed_is_undisturbed(
    llama: Any, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: int
) -> None:
    monkeypatch.setattr(moments, "GROUP", group)
    undisturbed = contents(compute(llama, tokenizer, tmp_path / "a"))
    for _ in range(3):  # each gets two batches further
        with pytest.raises(Stopped):
            compute(llama, tokenizer, tmp_path / "b", observe=stop_after(2), seconds=0)
    rest: list[int] = []
    found = compute(llama, tokenizer, tmp_path / "b", observe=lambda done, total: rest.append(done))
    assert contents(found) == undisturbed
    assert rest[0] > 3
    assert rest[-1] <= 13
    assert not [path for path in found[0].path.parent.iterdir() if "unfinished" in path.name]


def test_a_checkpoint_serves_some_of_its_modules(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    undisturbed = compute(llama, tokenizer, tmp_path / "a")
    with pytest.raises(Stopped):
        compute(llama, tokenizer, tmp_path / "b", observe=stop_after(2), seconds=0)
    rest: list[int] = []
    (found,) = compute(
        llama, tokenizer, tmp_path / "b", [undisturbed[2].module], observe=lambda done, total: rest.append(done)
    )
    assert found.path.read_bytes() == undisturbed[2].path.read_bytes()
    assert rest[0] > 3


@pytest.mark.parametrize("content", [b"", b"no tensors", None])
def test_a_checkpoint_that_is_not_ours_is_not_taken_up(
    llama: Any, tokenizer: Any, tmp_path: Path, content: bytes | None
) -> None:
    undisturbed = contents(compute(llama, tokenizer, tmp_path / "a"))
    with pytest.raises(Stopped):
        compute(llama, tokenizer, tmp_path / "b", observe=stop_after(1), seconds=0)
    (checkpoint,) = (tmp_path / "b").rglob("unfinished-*.safetensors")
    if content is None:  # of other work, under the same name
        with safe_open(checkpoint, framework="pt") as file:
            kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        moments.Checkpoint(checkpoint, "another").save(kept, moments.Position(4, 1, 9))
    else:
        checkpoint.write_bytes(content)
    assert contents(compute(llama, tokenizer, tmp_path / "b")) == undisturbed


KILLED = """
import os, signal, sys
from pathlib import Path
from transformers import AutoTokenizer
from tests.editing.conftest import make_model
from tests.editing.covariance.test_compute import compute
batches = []
def observe(done, total):
    batches.append(done)
    if len(batches) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
compute(make_model("llama"), AutoTokenizer.from_pretrained(sys.argv[1]), Path(sys.argv[2]), observe=observe, seconds=0)
"""


def test_killed_and_resumed_is_undisturbed(
    llama: Any, tokenizer: Any, tiny_folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    undisturbed = contents(compute(llama, tokenizer, tmp_path / "a"))
    command = [sys.executable, "-c", KILLED, tiny_folder, tmp_path / "b"]
    killed = subprocess.run(command, cwd=request.config.rootpath, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    rest: list[int] = []
    found = compute(llama, tokenizer, tmp_path / "b", observe=lambda done, total: rest.append(done))
    assert contents(found) == undisturbed
    assert rest[0] > 3


def test_a_second_process_is_refused(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    folder = tmp_path / "owner_name" / "texts_stats"
    folder.mkdir(parents=True)
    with (folder / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(InputError, match=r"being written by another edittool.*will serve here too"):
            compute(llama, tokenizer, tmp_path)
    assert all(one.new for one in compute(llama, tokenizer, tmp_path))


def test_files_of_something_else_stay_as_they_are(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    found = compute(llama, tokenizer, tmp_path)
    before = contents(found)
    with pytest.raises(InputError, match=r"statistics of another model\. It is left as it is"):
        compute(_nudged(llama), tokenizer, tmp_path)
    assert contents(found) == before
    np.savez(found[0].path, **{"mom2.mom2": np.eye(2), "mom2.count": 1})
    with pytest.raises(InputError, match="do not say what they are of"):
        compute(llama, tokenizer, tmp_path)


def test_a_model_without_numbers(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    with torch.no_grad():
        llama.model.layers[1].mlp.up_proj.weight[0, 0] = float("nan")
    with pytest.raises(InputError, match=r"model\.layers\.1\.mlp\.down_proj are no numbers"):
        compute(llama, tokenizer, tmp_path, modules_of_layers(llama, [0, 1]))
    assert not list(tmp_path.rglob("*.npz"))


def test_documents_without_tokens(llama: Any, tokenizer: Any) -> None:
    empty = _without_bos(tokenizer)
    with pytest.raises(InputError, match="no tokens at all"):
        compute_statistics("m", llama, empty, modules_of_layers(llama, [0]), Corpus("empty", ["", ""]))


@pytest.mark.parametrize("name", ["samples", "max_tokens", "batch_tokens"])
def test_numbers_without_meaning(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} must be at least 1, not 0"):
        Settings(**{name: 0})
    with pytest.raises(InputError, match="float32 or float64, not float16"):
        Settings(dtype="float16")  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_made(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match=r"cannot be written: Not a directory.*-o"):
        compute(llama, tokenizer, tmp_path / "file")


def test_a_disk_that_is_too_small_is_told_before_anything_is_computed(
    llama: Any, tokenizer: Any, tmp_path: Path
) -> None:
    llama.forward = None  # nobody calls it
    with (
        small_disk(tmp_path / "disk", 64 * 1024) as disk,
        pytest.raises(EnvironmentFault, match=r"GiB are free.*fewer layers"),
    ):
        compute(llama, tokenizer, disk)


def test_a_disk_that_fills_up(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    undisturbed = contents(compute(llama, tokenizer, tmp_path / "a"))
    with small_disk(tmp_path / "disk", 256 * 1024) as disk:

        def fill(done: int, total: int) -> None:
            with (disk / "other").open("ab", buffering=0) as file:
                file.write(b"x" * os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize)

        with pytest.raises(EnvironmentFault, match="cannot be written"):
            compute(llama, tokenizer, disk, observe=fill, seconds=0)
        (disk / "other").unlink()
        assert not list(disk.rglob("*.npz")) + list(disk.rglob("*.partial"))
        assert contents(compute(llama, tokenizer, disk)) == undisturbed


def test_too_little_memory(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    def refuse(done: int, total: int) -> None:
        torch.empty(2**60, dtype=torch.uint8)  # what an allocator says that has no more

    with pytest.raises(EnvironmentFault, match="smaller --batch-tokens"):
        compute(llama, tokenizer, tmp_path, observe=refuse)
