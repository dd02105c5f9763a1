import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from edittool.editing.model.families import family_of, modules_of_layers
from edittool.editing.model.loading import find_device, load_model, size_of
from edittool.schemas.errors import EnvironmentFault, InputError

from ..conftest import make_model


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


def change_config(folder: Path, **fields: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def leave_out_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.down_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def name_a_shard_that_is_not_there(folder: Path) -> None:
    names = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    shards = {name: f"model-0000{1 + ('.1.' in name)}-of-00002.safetensors" for name in names}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": shards}))


def cut_short(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "its weights: .*no file named model.safetensors"),
        (lambda folder: (folder / "config.json").write_text("[1]"), "its configuration"),
        (lambda folder: (folder / "config.json").write_text('{"model_type":'), "not a valid JSON"),
        (lambda folder: (folder / "tokenizer.json").write_text('{"version": "1.0"}'), "its tokenizer"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "its tokenizer"),
        (lambda folder: change_config(folder, intermediate_size=64), r"shape \(32, 48\), and .* is \(32, 64\)"),
        (leave_out_a_tensor, r"lack model\.layers\.1\.mlp\.down_proj\.weight \(1 tensors in all\)"),
        (name_a_shard_that_is_not_there, "model-00002-of-00002"),
        (cut_short, "SafetensorError"),
    ],
)
def test_a_broken_folder(tiny_folder: Path, tmp_path: Path, damage: Callable[[Path], None], fault: str) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    damage(folder)
    with pytest.raises(InputError, match=fault) as told:
        load_model(str(folder), "cpu")
    assert str(folder) in str(told.value)


def test_weights_that_are_tied_are_not_missing(tokenizer: Any, tmp_path: Path) -> None:
    make_model("gpt2").save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model, _ = load_model(str(tmp_path), "cpu")
    assert model.lm_head.weight is model.transformer.wte.weight


def test_a_type_of_no_family_is_told_before_weights_are_read(tiny_folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_folder / name).read_bytes())
    change_config(tmp_path, model_type="olmo2")

    def check(outline: Any, tokenizer: Any) -> None:
        modules_of_layers(outline, [0])

    with pytest.raises(InputError, match=r"'olmo2' cannot be edited in parts: .* norm .* known: .*llama, "):
        load_model(str(tmp_path), "cpu", check=check)


def test_a_model_that_is_no_causal_one(tiny_folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_folder / name).read_bytes())
    (tmp_path / "config.json").write_text('{"model_type": "t5"}')
    with pytest.raises(InputError, match="its configuration: Unrecognized configuration class"):
        load_model(str(tmp_path), "cpu")


def test_what_will_not_do_is_told_before_weights_are_read(tiny_folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((tiny_folder / name).read_bytes())
    weights = load_file(tiny_folder / "model.safetensors")

    def check(outline: Any, tokenizer: Any) -> None:
        assert {name: parameter.shape for name, parameter in outline.named_parameters()} == {
            name: tensor.shape for name, tensor in weights.items()
        }
        assert size_of(outline, torch.bfloat16) == 2 * sum(tensor.numel() for tensor in weights.values())
        raise InputError(f"it will not do: {tokenizer('x')['input_ids'][0]}")

    with pytest.raises(InputError, match="it will not do: 0"):
        load_model(str(tmp_path), "cpu", check=check)
