import copy
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from edittool.editing.edits.codebook import Entries, Entry, entries_at
from edittool.editing.edits.edit import Edit
from edittool.editing.edits.low_rank import LowRank
from edittool.schemas.errors import EnvironmentFault, InputError

from ...disks import small_disk

NAME = "model.layers.1.mlp.down_proj.weight"


def made(llama: Any, seed: int) -> Edit:
    shape = dict(llama.named_parameters())[NAME].shape
    return Edit("ft", {NAME: torch.randn(shape, generator=torch.Generator().manual_seed(seed))}, [2.0, 0.5])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_undo_is_bit_exact(llama: Any, dtype: torch.dtype) -> None:
    llama.to(dtype)
    before = {name: parameter.detach().clone() for name, parameter in llama.named_parameters()}
    with made(llama, 0).apply(llama):
        assert not torch.equal(dict(llama.named_parameters())[NAME], before[NAME])
    assert all(torch.equal(parameter, before[name]) for name, parameter in llama.named_parameters())


def test_stacked_edits_come_out_in_reverse_order_only(llama: Any, checksum: Any) -> None:
    start = checksum(llama)
    first, second = made(llama, 0).apply(llama), made(llama, 1).apply(llama)
    with pytest.raises(RuntimeError, match="reverse order"):
        first.undo()
    second.undo()
    first.undo()
    assert checksum(llama) == start


def test_an_edit_is_in_one_model_at_a_time(llama: Any) -> None:
    edit = made(llama, 0)
    with pytest.raises(RuntimeError, match="nothing to undo"):
        edit.undo()
    edit.apply(llama)
    with pytest.raises(RuntimeError, match="already"):
        edit.apply(llama)


def test_a_saved_edit_gives_another_copy_the_same_bits(llama: Any, checksum: Any, tmp_path: Path) -> None:
    edit = made(llama, 0).apply(llama)
    edited = checksum(llama)
    edit.save(tmp_path / "edits" / "a.safetensors", {"change_id": "len"})
    edit.undo()
    loaded = Edit.load(tmp_path / "edits" / "a.safetensors")
    assert (loaded.method, loaded.losses, list(loaded.deltas())) == ("ft", [2.0, 0.5], [NAME])
    loaded.apply(llama)
    assert checksum(llama) == edited


def test_what_is_no_edit_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "tensors")
    (tmp_path / "text").write_text("hello")
    for name in ("tensors", "text", "missing"):
        with pytest.raises(InputError, match=name):
            Edit.load(tmp_path / name)


def test_another_model_is_refused_untouched(llama: Any, checksum: Any) -> None:
    start = checksum(llama)
    with pytest.raises(InputError, match="no such parameter"):
        Edit("ft", {"nowhere": torch.zeros(1)}).apply(llama)
    with pytest.raises(InputError, match="shape"):
        Edit("ft", {NAME: torch.zeros(1)}).apply(llama)
    assert checksum(llama) == start


LAYER = "model.layers.1.mlp.down_proj"


def with_codebook(llama: Any, seed: int, before: Edit | None = None) -> Edit:
    """An edit of a tensor and a codebook, which holds the entries of `before` too."""
    random = torch.Generator().manual_seed(seed)
    entry = Entry(torch.randn(48, generator=random), torch.randn(32, generator=random), 1000.0, 0.5)
    old = None if before is None else before._codebooks[LAYER]
    rows, grown_from = ((), "") if old is None else (old.rows, old.digest())
    deltas = {name: delta / 100 for name, delta in made(llama, seed).deltas().items()}
    return Edit("both", deltas, [1.0], {LAYER: Entries((*rows, entry), grown_from=grown_from)})


def outputs(llama: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = llama(torch.arange(3, 9)[None]).logits
    return found


def test_a_codebook_goes_in_and_out_with_the_tensors(llama: Any, checksum: Any) -> None:
    start, unedited = checksum(llama), outputs(llama)
    first = with_codebook(llama, 0).apply(llama)
    once, with_one = checksum(llama), outputs(llama)
    second = with_codebook(llama, 1, first).apply(llama)
    assert not torch.equal(outputs(llama), with_one)
    book = second.codebook()
    assert book is not None
    assert (book.keys.shape, book.values.shape, book.radii.tolist()) == ((2, 48), (2, 32), [1000.0, 1000.0])
    with pytest.raises(RuntimeError, match="reverse order"):
        first.undo()
    second.undo()
    assert checksum(llama) == once
    assert torch.equal(outputs(llama), with_one)
    first.undo()
    assert checksum(llama) == start
    assert torch.equal(outputs(llama), unedited)
    assert not any(module._forward_hooks for module in llama.modules())


def test_only_grace_has_a_codebook(llama: Any) -> None:
    assert made(llama, 0).codebook() is None


def test_what_is_done_to_a_codebook_that_was_given_out_changes_no_edit(llama: Any) -> None:
    edit = with_codebook(llama, 0).apply(llama)
    before = outputs(llama)
    book = edit.codebook()
    assert book is not None
    book.values.zero_()
    assert torch.equal(outputs(llama), before)


def test_a_saved_codebook_is_the_same(llama: Any, tmp_path: Path) -> None:
    fresh, first = copy.deepcopy(llama), with_codebook(llama, 0).apply(llama)
    second = with_codebook(llama, 1, first).apply(llama)
    for name, edit in (("first", first), ("second", second)):
        edit.save(tmp_path / name, {"change_id": "len"})
    with safe_open(tmp_path / "second", framework="pt") as file:
        assert file.metadata()["change_id"] == "len"
    Edit.load(tmp_path / "second").apply(fresh).undo()  # by itself: it holds what the first taught
    for name in ("first", "second"):  # or in the order they were made
        Edit.load(tmp_path / name).apply(fresh)
    assert torch.equal(outputs(fresh), outputs(llama))
    mine, theirs = (entries_at(model.get_submodule(LAYER)) for model in (llama, fresh))
    assert mine is not None
    assert theirs is not None
    assert mine.digest() == theirs.digest()


def test_no_codebook_is_lost_to_another(llama: Any, checksum: Any) -> None:
    other = with_codebook(llama, 1)
    edit = with_codebook(llama, 0).apply(llama)
    before, start = outputs(llama), checksum(llama)
    with pytest.raises(InputError, match=f"has a codebook at {LAYER} that this edit does not go on from"):
        other.apply(llama)
    assert torch.equal(outputs(llama), before)
    assert checksum(llama) == start
    edit.undo()
    other.apply(llama)


def test_a_codebook_needs_its_layer(llama: Any, checksum: Any) -> None:
    start = checksum(llama)
    entries = with_codebook(llama, 0)._codebooks[LAYER]
    for path in ("nowhere", "model.layers.1.mlp", "model.layers.1.mlp.up_proj"):
        with pytest.raises(InputError, match=f"a codebook for {path}, a linear layer from 48 to 32 features"):
            Edit("grace", {}, (), {path: entries}).apply(llama)
    assert checksum(llama) == start


def test_damaged_and_later_files_are_refused(llama: Any, tmp_path: Path) -> None:
    with_codebook(llama, 0).save(tmp_path / "good")
    tensors = load_file(tmp_path / "good")
    with safe_open(tmp_path / "good", framework="pt") as file:
        metadata = file.metadata()
    kept = {name: tensor for name, tensor in tensors.items() if not name.endswith("radii")}
    save_file(kept, tmp_path / "bad", metadata=metadata)
    save_file(tensors, tmp_path / "worse", metadata=metadata | {"codebooks": "[1"})
    for name in ("bad", "worse"):
        with pytest.raises(InputError, match=f"{name} is an edit that is damaged"):
            Edit.load(tmp_path / name)
    save_file(tensors, tmp_path / "later", metadata=metadata | {"format": "edittool-edit-9"})
    with pytest.raises(InputError, match="later holds tensors, but no edit that this version can read"):
        Edit.load(tmp_path / "later")


@pytest.mark.parametrize("touched_only", [True, False])
def test_undo_gives_back_what_it_kept(llama: Any, checksum: Any, touched_only: bool) -> None:
    start = checksum(llama)
    other = dict(llama.named_parameters())["model.norm.weight"]
    with made(llama, 0).apply(llama, touched_only=touched_only), torch.no_grad():
        other.add_(1.0)
    assert (checksum(llama) == start) == (not touched_only)
    assert torch.equal(other, torch.ones_like(other)) == (not touched_only)


def test_a_full_disk_and_a_place_that_cannot_be(llama: Any, tmp_path: Path) -> None:
    edit = with_codebook(llama, 0)
    with small_disk(tmp_path / "disk", 4096) as disk:
        with pytest.raises(EnvironmentFault, match=r"disk/a cannot be written: .*No space left"):
            edit.save(disk / "a")
        assert not list(disk.iterdir())
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "a", tmp_path / "file" / "more" / "a"):
        with pytest.raises(EnvironmentFault, match="a cannot be written"):
            edit.save(path)


def test_a_failure_keeps_the_old_file(llama: Any, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 * 1024) as disk:
        with_codebook(llama, 0).save(disk / "a")
        good = (disk / "a").read_bytes()
        (disk / "other").write_bytes(b"x" * os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize)
        with pytest.raises(EnvironmentFault, match=r"disk/a cannot be written: .*No space left"):
            with_codebook(llama, 1).save(disk / "a")
        assert (disk / "a").read_bytes() == good
        assert sorted(path.name for path in disk.iterdir()) == ["a", "other"]


def test_the_file_may_be_read_by_whom_the_umask_lets(llama: Any, tmp_path: Path) -> None:
    with_codebook(llama, 0).save(tmp_path / "a")
    (tmp_path / "ordinary").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


FACTORS = LowRank.of(
    torch.randn(32, 3, generator=torch.Generator().manual_seed(0)),
    torch.randn(48, 3, generator=torch.Generator().manual_seed(1)),
)


@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_an_edit_of_low_rank_is_saved_as_its_factors(
    llama: Any, dtype: torch.dtype, dense: bool, tmp_path: Path
) -> None:
    llama.to(dtype)
    fresh, edit = copy.deepcopy(llama), Edit("memit", {NAME: FACTORS}).apply(llama)
    edit.save(tmp_path / "a", dense=dense)
    tensors = load_file(tmp_path / "a")
    names = {NAME} if dense else {f"{NAME}/left", f"{NAME}/right"}
    numbers = 32 * 48 if dense else 3 * (32 + 48)
    assert (tensors.keys(), sum(tensor.numel() for tensor in tensors.values())) == (names, numbers)
    loaded = Edit.load(tmp_path / "a")
    assert torch.equal(loaded.deltas()[NAME], FACTORS.dense())
    loaded.apply(fresh)
    assert torch.equal(fresh.get_parameter(NAME), llama.get_parameter(NAME))


def test_factors_that_do_not_pay_are_saved_as_their_product(llama: Any, tmp_path: Path) -> None:
    edit = Edit("memit", {NAME: LowRank.of(torch.ones(32, 24), torch.ones(48, 24))}).apply(llama)
    edit.save(tmp_path / "a")
    assert load_file(tmp_path / "a").keys() == {NAME}
    assert torch.equal(Edit.load(tmp_path / "a").deltas()[NAME], torch.full((32, 48), 24.0))


def test_files_of_before_factors_are_read(llama: Any, tmp_path: Path) -> None:
    tensors = {NAME: torch.full((32, 48), 0.5)}
    about = {"format": "edittool-edit-2", "method": "memit", "losses": "[1.0]", "codebooks": "{}"}
    save_file(tensors, tmp_path / "old", metadata=about)
    before = llama.get_parameter(NAME).detach().clone()
    edit = Edit.load(tmp_path / "old").apply(llama)
    assert (edit.method, edit.losses) == ("memit", [1.0])
    assert torch.equal(llama.get_parameter(NAME), before + 0.5)


@pytest.mark.parametrize(
    "factors",
    [
        {"left": torch.zeros(32, 2)},
        {"left": torch.zeros(32, 2), "right": torch.zeros(48, 3)},
        {"left": torch.zeros(32), "right": torch.zeros(48)},
        {"left": torch.zeros(32, 2), "right": torch.zeros(48, 2), "middle": torch.zeros(2, 2)},
    ],
    ids=["one alone", "of other ranks", "of no rank", "too many"],
)
def test_damaged_factors_are_refused(factors: dict[str, torch.Tensor], tmp_path: Path) -> None:
    Edit("memit", {NAME: FACTORS}).save(tmp_path / "good")
    with safe_open(tmp_path / "good", framework="pt") as file:
        metadata = file.metadata()
    save_file({f"{NAME}/{name}": tensor for name, tensor in factors.items()}, tmp_path / "bad", metadata=metadata)
    with pytest.raises(InputError, match="bad is an edit that is damaged"):
        Edit.load(tmp_path / "bad")


def test_factors_of_another_shape_are_refused(llama: Any) -> None:
    with pytest.raises(InputError, match=r"changes .* in shape \(48, 32\)"):
        Edit("memit", {NAME: FACTORS.transposed()}).apply(llama)
