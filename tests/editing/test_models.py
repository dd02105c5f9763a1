import json
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch

from edittool.editing.families import family_of
from edittool.editing.models import find_device, load_model
from edittool.schemas.errors import EnvironmentFault, InputError


def test_every_path_of_a_family_leads_to_a_module(model: Any) -> None:
    family = family_of(model)
    for path in (family.layer, family.attention, family.attention_out, family.mlp, family.mlp_out, family.norm):
        model.get_submodule(path.replace("{}", "1"))
    shape = model.get_submodule(family.mlp_out.replace("{}", "1")).weight.shape
    assert (shape[0] > shape[1]) == family.transposed


def test_a_folder(tiny_folder: Path) -> None:
    model, tokenizer = load_model(str(tiny_folder), "cpu", torch.bfloat16)
    assert (model.dtype, model.device.type, model.training) == (torch.bfloat16, "cpu", False)
    assert tokenizer("x")["input_ids"][0] == tokenizer.bos_token_id


def test_a_folder_without_config(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"config\.json"):
        load_model(str(tmp_path), "cpu")


@pytest.mark.parametrize("name", ["./nowhere", "a/b/c", "/no/such/folder", "x y"])
def test_neither_folder_nor_hub_id(name: str) -> None:
    with pytest.raises(InputError, match="Hub id"):
        load_model(name, "cpu")


def test_pickled_weights_are_refused(tiny_folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_folder / name).read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match="pickled"):
        load_model(str(tmp_path), "cpu")


def test_code_of_a_model_is_never_run(tiny_folder: Path, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_folder / name).read_bytes())
    config = {"model_type": "strange", "auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(InputError, match="never run"):
        load_model(str(tmp_path), "cpu")
    assert not (tmp_path / "ran").exists()


def test_the_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EnvironmentFault, match="hf download owner/not-there"):
        load_model("owner/not-there", "cpu")


def test_devices() -> None:
    assert find_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(InputError, match="no device 'gpu'"):
        find_device("gpu")
    with pytest.raises(EnvironmentFault, match="--device cpu"):
        find_device("cuda:99")
