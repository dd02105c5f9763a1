import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from edittool.editing.model.loading import load_model
from edittool.schemas.errors import InputError


def write(folder: Path, name: str, content: object) -> None:
    (folder / name).write_text(json.dumps(content))


def an_adapter_beside(folder: Path) -> None:
    write(folder, "adapter_config.json", {"base_model_name_or_path": "owner/base", "peft_type": "LORA"})


def an_adapter_alone(folder: Path) -> None:
    an_adapter_beside(folder)
    (folder / "config.json").unlink()
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")


def an_adapter_that_says_nothing(folder: Path) -> None:
    an_adapter_alone(folder)
    (folder / "adapter_config.json").write_text("[1")


def quantised(**fields: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        write(folder, "config.json", config | fields)

    return change


def gguf_alone(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "model-q4.gguf")


def gguf_without_config(folder: Path) -> None:
    gguf_alone(folder)
    (folder / "config.json").unlink()


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


BNB = {"quant_method": "bitsandbytes", "load_in_4bit": True}
METHODS: list[tuple[dict[str, object], str]] = [
    ({"quantization_config": BNB}, r"bitsandbytes, 4 bits"),
    ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}}, r"bitsandbytes, 8 bits"),
    ({"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}}, r"gptq, 4 bits"),
    ({"quantization_config": {"quant_method": "awq", "bits": 4, "version": "gemm"}}, r"awq, 4 bits"),
    ({"quantization_config": {"quant_method": "fp8", "activation_scheme": "dynamic"}}, r"\(fp8, "),
    ({"quantization_config": {"quant_method": "mxfp4"}}, r"\(mxfp4, "),
    ({"compression_config": {"quant_method": "compressed-tensors"}}, r"compressed-tensors.*compression_config"),
]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (an_adapter_beside, r"holds an adapter beside a model .*owner/base.*merge_and_unload"),
        (an_adapter_alone, r"is an adapter, no model: what it changes is owner/base\. Merge it.*merge_and_unload"),
        (an_adapter_that_says_nothing, r"is an adapter, no model: what it changes is a base model that it does not"),
        (gguf_alone, r"GGUF.*model-q4\.gguf.*gguf_file"),
        (gguf_without_config, r"GGUF.*model-q4\.gguf"),
        (pickled, r"pickled weights alone \(pytorch_model\.bin\).*safetensors"),
        (no_tokenizer, r"has no tokenizer .*Copy the tokenizer's files"),
        *((quantised(**fields), rf"is quantised \(?.*{words}") for fields, words in METHODS),
    ],
)
def test_what_is_no_whole_model_is_refused_before_weights_are_read(
    tiny_folder: Path, tmp_path: Path, change: Callable[[Path], None], fault: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    change(folder)
    for weights in folder.glob("*.safetensors"):
        weights.write_bytes(b"not to be read")
    with pytest.raises(InputError, match=fault) as told:
        load_model(str(folder), "cpu")
    assert str(folder) in str(told.value)


def test_a_gguf_file(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    with pytest.raises(InputError, match=r"GGUF"):
        load_model(str(tmp_path / "m.gguf"), "cpu")


def test_pickled_files_beside_safetensors_do_no_harm(tiny_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_folder, folder)
    torch.save({}, folder / "training_args.bin")
    load_model(str(folder), "cpu")
