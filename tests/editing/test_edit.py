from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from edittool.editing.edit import Edit
from edittool.schemas.errors import InputError

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
