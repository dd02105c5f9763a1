import json
import os
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edittool.editing.covariance.files import (
    NAME,
    CovarianceFolder,
    Moment,
    find_covariances,
    model_folder_name,
    modules_of_layers,
    read_about,
    read_count,
    read_covariance,
    write_moment,
)
from edittool.editing.model.digests import model_digest, tokenizer_digest
from edittool.schemas.errors import EnvironmentFault, InputError

from ..conftest import make_model

MODULE = "model.layers.1.mlp.down_proj"
NAME_OF_FILE = f"{MODULE}_float32_mom2_100.npz"


def save(path: Path, **arrays: Any) -> Path:
    """Write an npz file as EasyEdit does, with some arrays instead of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mom2 = np.eye(48, dtype=np.float32) * 6
    whole = {"constructor": "util.runningstats.SecondMoment()", "count": 3, "mom2": mom2}
    np.savez(path, **({f"mom2.{name}": value for name, value in whole.items()} | {"sample_size": 100} | arrays))
    return path


def test_what_is_written_is_read_by_the_rules_of_the_reference(tmp_path: Path) -> None:
    total = torch.randn(5, 5)
    write_moment(tmp_path / "m.npz", Moment(total, 7, {"key": {"a": 1}}), 100)
    assert os.listdir(tmp_path) == ["m.npz"]
    with np.load(tmp_path / "m.npz") as loaded:  # without pickles, as EasyEdit loads it
        state = dict(loaded.items())
    assert state["sample_size"] == 100  # it recomputes where this differs from what the hyperparameters say
    mine = {key.removeprefix("mom2."): value for key, value in state.items() if key.startswith("mom2.")}
    assert mine.keys() == {"constructor", "count", "mom2"}
    assert mine["constructor"].shape == ()
    assert str(mine["constructor"]).endswith(".SecondMoment()")
    assert mine["count"].dtype == np.int64
    assert torch.equal(torch.from_numpy(mine["mom2"]), total)
    assert mine["mom2"].dtype == np.float32
    with zipfile.ZipFile(tmp_path / "m.npz") as archive:
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    assert torch.equal(read_covariance(tmp_path / "m.npz", 5), total / 7)
    assert read_count(tmp_path / "m.npz") == 7
    assert read_about(tmp_path / "m.npz") == {"key": {"a": 1}}


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_files_of_the_reference_are_read(tmp_path: Path, dtype: Any) -> None:
    matrix = np.asfortranarray(np.arange(16).reshape(4, 4)).astype(dtype)
    path = save(tmp_path / "x.npz", **{"mom2.mom2": matrix})
    covariance = read_covariance(path)
    assert covariance.dtype == torch.float32
    assert torch.allclose(covariance, torch.arange(16).reshape(4, 4) / 3)
    assert read_about(path) is None


class Evil:
    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('a pickle was run')",)


def lying_header() -> bytes:
    """Return a file whose matrix claims to be 4 TiB large."""
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (2**20, 2**20)})
    whole = BytesIO()
    np.savez(whole, **{"mom2.count": 3})
    with zipfile.ZipFile(whole, "a") as archive:
        archive.writestr("mom2.mom2.npy", header.getvalue())
    return whole.getvalue()


@pytest.mark.parametrize(
    ("arrays", "fault"),
    [
        ({"mom2.mom2": np.array([[Evil()]], dtype=object)}, "no square matrix"),
        ({"mom2.count": np.array(Evil(), dtype=object)}, "Object arrays cannot be loaded"),
        ({"edittool": np.array(Evil(), dtype=object)}, "Object arrays cannot be loaded"),
        ({"edittool": "[1]"}, "tells nothing"),
        ({"edittool": "{"}, "Expecting property name"),
        ({"mom2.mom2": np.ones((4, 5), np.float32)}, "no square matrix"),
        ({"mom2.mom2": np.ones((48, 48), np.int64)}, "no square matrix"),
        ({"mom2.mom2": np.ones((4, 4), np.float32)}, "4 inputs, and this one has 48"),
        ({"mom2.mom2": np.full((48, 48), np.nan, np.float32)}, "infinities or NaN"),
        ({"mom2.count": 0}, "no number of inputs"),
        ({"mom2.count": 2.5}, "no number of inputs"),
        ({"mom2.count": np.ones(2**18)}, "far larger"),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, arrays: dict[str, Any], fault: str) -> None:
    path = save(tmp_path / "x.npz", **arrays)
    read = read_about if "edittool" in arrays else lambda path: read_covariance(path, 48)
    with pytest.raises(InputError, match=fault) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", lying_header(), b"\x93NUMPY"])
def test_files_that_are_no_npz_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.npz cannot be used as statistics"):
        read_covariance(path)


def test_a_file_that_lacks_an_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=1)
    with pytest.raises(InputError, match=r"mom2\.count"):
        read_covariance(tmp_path / "x.npz")
    with pytest.raises(InputError, match="does not exist"):
        read_covariance(tmp_path / "y.npz")


def test_a_file_cut_short(tmp_path: Path) -> None:
    path = save(tmp_path / "x.npz")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"x\.npz cannot be used"):
        read_covariance(path)


def test_writing_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFault, match="cannot be written"):
        write_moment(tmp_path / "file" / "m.npz", Moment(torch.eye(2), 1, {}), 1)


def test_a_folder_reads_a_file_when_it_is_asked_for(tmp_path: Path) -> None:
    covariances = CovarianceFolder({"a": save(tmp_path / "a.npz"), "b": tmp_path / "gone.npz"}, {"a": 48})
    assert (len(covariances), list(covariances), "b" in covariances, "c" in covariances) == (2, ["a", "b"], True, False)
    assert torch.equal(covariances["a"], torch.eye(48) * 2)
    assert covariances.get("c") is None
    with pytest.raises(KeyError):
        covariances["c"]
    with pytest.raises(InputError, match=r"gone\.npz"):
        covariances["b"]


names = st.from_regex(r"[a-z_]+(\.[a-z0-9_]+){0,4}", fullmatch=True)


@given(names, st.sampled_from(["float32", "float64"]), st.none() | st.integers(1), st.none() | st.integers(0))
def test_the_module_is_found_in_every_name(module: str, dtype: str, tokens: int | None, n: int | None) -> None:
    cut = "" if tokens is None else f"_t{tokens}"
    settings = f"_{dtype}_mom2{cut}" + ("" if n is None else f"_{n}")
    name = NAME.fullmatch(f"{module}{settings}.npz")
    assert name
    assert (name["module"], name["settings"]) == (module, settings)
    assert NAME.fullmatch(f"{module}.npz")["module"] == module  # type: ignore[index]


@given(st.text(min_size=1).filter(lambda text: "\0" not in text))
def test_a_model_has_one_folder(name: str) -> None:
    folder = model_folder_name(name)
    assert "/" not in folder
    assert folder not in ("", ".", "..")


def test_names_of_models() -> None:
    assert model_folder_name("codellama/CodeLlama-7b-hf") == "codellama_CodeLlama-7b-hf"
    assert model_folder_name("models/mine/") == "models_mine"
    assert model_folder_name(".") == str(Path.cwd()).replace("/", "_")


@pytest.mark.parametrize(
    "where",
    ["owner_name/wikipedia_stats/", "name/wikipedia_stats/", "wikipedia_stats/", ""],
    ids=["whole name", "last part", "the model's folder", "the files' folder"],
)
def test_files_are_found_in_every_layout(llama: Any, tokenizer: Any, tmp_path: Path, where: str) -> None:
    save(tmp_path / where / NAME_OF_FILE)
    found = find_covariances("owner/name", llama, tokenizer, [MODULE], stats_dir=tmp_path)
    assert found.files == {MODULE: tmp_path / where / NAME_OF_FILE}
    assert torch.equal(found[MODULE], torch.eye(48) * 2)


@pytest.mark.parametrize("name", [f"{MODULE}.npz", f"{MODULE}_float32_mom2_t{{batch_tokens}}_100000.npz"])
def test_other_names(llama: Any, tokenizer: Any, tmp_path: Path, name: str) -> None:
    save(tmp_path / name)
    assert find_covariances("m", llama, tokenizer, [MODULE], stats_dir=tmp_path).files == {MODULE: tmp_path / name}


def test_of_several_corpora_the_newest_or_the_one_that_is_named(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    for age, corpus in enumerate(["wikipedia", "code", "old"]):
        path = save(tmp_path / "m" / f"{corpus}_stats" / NAME_OF_FILE)
        os.utime(path, (1000 - age * (corpus == "old"), 1000 + (corpus == "code")))
    for wanted, taken in ((None, "code"), ("wikipedia", "wikipedia"), ("another", "code")):
        found = find_covariances("m", llama, tokenizer, [MODULE], stats_dir=tmp_path, corpus=wanted)
        assert found.source.endswith(f"{taken}_stats")
        assert found.corpus == taken


def test_python_is_the_standard_library_of_any_version(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    for age, corpus in enumerate(["pythons", "python-3.9.2", "python-3.11.7", "code"]):
        os.utime(save(tmp_path / "m" / f"{corpus}_stats" / NAME_OF_FILE), (1000, 1000 + age))
    for wanted, taken in (("python", "python-3.11.7"), ("python-3.9.2", "python-3.9.2"), (None, "code")):
        assert find_covariances("m", llama, tokenizer, [MODULE], stats_dir=tmp_path, corpus=wanted).corpus == taken


def test_a_folder_of_another_layout_names_no_corpus(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    save(tmp_path / NAME_OF_FILE)
    assert find_covariances("m", llama, tokenizer, [MODULE], stats_dir=tmp_path).corpus is None


def test_the_folder_of_the_hyperparameters(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    path = save(tmp_path / "m" / "wikipedia_stats" / NAME_OF_FILE)
    assert find_covariances("m", llama, tokenizer, [MODULE], own_stats_dir=tmp_path).files == {MODULE: path}
    with pytest.raises(InputError, match="in the cache"):
        find_covariances("m", llama, tokenizer, [MODULE], own_stats_dir=tmp_path / "nowhere")


def test_files_of_different_settings_are_not_mixed(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    modules = modules_of_layers(llama, [1, 2])
    save(tmp_path / f"{modules[0]}_float32_mom2_100.npz")
    save(tmp_path / f"{modules[1]}_float32_mom2_200.npz")
    with pytest.raises(InputError) as caught:
        find_covariances("owner/name", llama, tokenizer, modules, stats_dir=tmp_path)
    assert f"edittool stats owner/name --layers 1,2 -o {tmp_path}" in str(caught.value)
    save(tmp_path / f"{modules[1]}_float32_mom2_100.npz")
    assert len(find_covariances("owner/name", llama, tokenizer, modules, stats_dir=tmp_path)) == 2


def test_files_that_tell_of_another_model_are_passed_over(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    key = {"model": model_digest(llama), "tokenizer": tokenizer_digest(tokenizer)}
    path = save(tmp_path / NAME_OF_FILE, edittool=json.dumps({"key": key | {"more": 1}}))
    find = lambda model: find_covariances("m", model, tokenizer, [MODULE], stats_dir=tmp_path)  # noqa: E731
    assert find(llama).files == {MODULE: path}
    with torch.no_grad():
        llama.lm_head.weight[0, 0] += 1
    with pytest.raises(InputError, match="1 sets that are there are of other weights or another tokenizer"):
        find(llama)


def test_a_file_of_the_wrong_shape_is_told_when_it_is_found(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    save(tmp_path / NAME_OF_FILE, **{"mom2.mom2": np.eye(4, dtype=np.float32)})
    with pytest.raises(InputError, match="4 inputs, and this one has 48"):
        find_covariances("m", llama, tokenizer, [MODULE], stats_dir=tmp_path)


def test_no_statistics_at_all(llama: Any, tokenizer: Any, tmp_path: Path) -> None:
    modules = modules_of_layers(llama, [2], attention=True)
    with pytest.raises(InputError, match=r"edittool stats m --layers 2 --attention$"):
        find_covariances("m", llama, tokenizer, modules)
    with pytest.raises(InputError, match="nowhere does not exist"):
        find_covariances("m", llama, tokenizer, modules, stats_dir=tmp_path / "nowhere")
    assert len(find_covariances("m", llama, tokenizer, [])) == 0


def test_modules_that_are_not_there(model: Any, tokenizer: Any) -> None:
    with pytest.raises(InputError, match="no layer 99: its 3 layers are counted from 0 to 2"):
        modules_of_layers(model, [1, 99])
    with pytest.raises(InputError, match=r"no linear module 'model\.nothing'"):
        find_covariances("m", model, tokenizer, ["model.nothing"])


def test_a_model_is_known_by_its_weights(tiny_folder: Path, tmp_path: Path) -> None:
    from edittool.editing.model.loading import load_model

    digests = [model_digest(load_model(str(tiny_folder), "cpu", dtype)[0]) for dtype in (torch.float32, torch.bfloat16)]
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tiny_folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    digests.append(model_digest(load_model(str(copy), "cpu")[0]))
    assert len(set(digests)) == 1
    weights = copy / "model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-2] ^= 1
    weights.write_bytes(raw)
    assert model_digest(load_model(str(copy), "cpu")[0]) != digests[0]


@pytest.mark.parametrize("name", ["", "owner/name", "a/folder/that/is/gone", "/a/folder/that/is/gone"])
def test_a_model_without_files_is_read_in_memory(name: str) -> None:
    model = make_model("llama")
    digest = model_digest(model)
    model.name_or_path = name
    assert model_digest(model) == digest


def test_models_in_memory_differ_by_any_weight() -> None:
    digests = {model_digest(make_model(family)) for family in ("llama", "llama", "qwen2")}
    assert len(digests) == 2


def test_a_tokenizer_is_known_by_what_it_does(tiny_folder: Path) -> None:
    from transformers import AutoTokenizer

    one, other = (AutoTokenizer.from_pretrained(tiny_folder) for _ in range(2))
    one("some long text", truncation=True, max_length=2)  # leaves a trace in the tokenizer
    assert tokenizer_digest(one) == tokenizer_digest(other)
    other.add_tokens(["added"])
    assert tokenizer_digest(one) != tokenizer_digest(other)
