"""Covariances of modules' inputs on the disk, in EasyEdit's format and layout: names, writing, reading, finding.

A file holds the sum of x xᵀ over the inputs x of one linear module, and their number. EasyEdit (and ROME, MEMIT, PMET)
read these files, and theirs are read here: {folder}/{model}/{corpus}_stats/{module}_{dtype}_mom2[_t{tokens}]_{n}.npz,
tokens only where documents were cut below the model's context. An array more, `edittool`, tells what the sum is of.
"""

import contextlib
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...schemas.errors import InputError
from ...schemas.folders import cache_folder
from ...schemas.whole_files import aside, write_faults
from ..model.digests import model_digest, tokenizer_digest
from ..model.families import input_widths, modules_of_layers

# EasyEdit names the class that reads a file; nothing is made of it here, nor there.
CONSTRUCTOR = "easyeditor.util.runningstats.SecondMoment()"
MAX_SMALL_BYTES = 2**20  # of an array that is no matrix: a number, or a text about the file
NAME = re.compile(r"(?P<module>.+?)(?P<settings>_(float\d+)_mom2(_t(\d+|\{batch_tokens\}))?(_\d+)?)?\.npz")


def stats_cache() -> Path:
    """Return the folder of the statistics that were not asked for elsewhere."""
    return cache_folder() / "stats"


def model_folder_name(model_name: str) -> str:
    """Return how files of the model called `model_name` (a Hub id, a folder) are filed: "/" becomes "_"."""
    name = model_name.rstrip("/")
    return (str(Path(model_name).resolve()) if name in ("", ".", "..") else name).replace("/", "_")


@dataclass(frozen=True, slots=True)
class Moment:
    """The sum of x xᵀ (f, f) over `count` inputs x of a module, and what it is of, as `about` tells."""

    total: Tensor
    count: int
    about: Mapping[str, Any]


def write_moment(path: Path, moment: Moment, samples: int) -> None:
    """Write `moment` to `path` as a whole, for `samples` documents that were asked for.

    Raises EnvironmentFault when the disk or a permission refuses.
    """
    arrays: dict[str, Any] = {
        "mom2.constructor": CONSTRUCTOR,
        "mom2.count": moment.count,
        "mom2.mom2": moment.total.cpu().numpy(),
        "sample_size": samples,
        "edittool": json.dumps(moment.about, sort_keys=True),
    }
    note = "The same command, started again, goes on from here."
    with write_faults(path, note=note), aside(path) as temporary, temporary.open("xb") as file:
        np.savez(file, **arrays)


def read_about(path: Path) -> dict[str, Any] | None:
    """Return what an npz file of statistics is of, or None where it does not say so: EasyEdit's own files do not.

    Raises InputError for a file that cannot be read.
    """
    with _opened(path) as archive:
        if "edittool.npy" not in archive.namelist():
            return None
        about = json.loads(str(_small(archive, "edittool")))
        if not isinstance(about, dict):
            raise ValueError("the array edittool tells nothing")
        return about


def read_count(path: Path) -> int:
    """Return how many inputs an npz file of statistics is over. Raises InputError for a file that cannot be read."""
    with _opened(path) as archive:
        return _count(archive)


def read_covariance(path: Path, width: int | None = None) -> Tensor:
    """Return the uncentred covariance in the npz file `path`, float32, of shape (f, f).

    Nothing in the file is unpickled, and no more is read than a matrix of its stated shape needs. Raises InputError,
    naming the file, where it is no such file, where f is not `width`, and where it holds no numbers.
    """
    with _opened(path) as archive:
        count, dtype = _count(archive), _checked_dtype(archive, width)
        total = torch.from_numpy(_array(archive, "mom2.mom2").astype(_native(dtype), copy=False))
        covariance = total.div_(count).float()
        if not bool(torch.isfinite(covariance).all()):
            raise ValueError("it holds infinities or NaN")
        return covariance


def check_width(path: Path, width: int) -> None:
    """Raise InputError where the npz file `path` is not for a module with `width` inputs; no matrix is read."""
    with _opened(path) as archive:
        _checked_dtype(archive, width)


def _checked_dtype(archive: zipfile.ZipFile, width: int | None) -> np.dtype[Any]:
    shape, dtype = _header(archive, "mom2.mom2")
    if len(shape) != 2 or shape[0] != shape[1] or dtype.kind != "f":
        raise ValueError(f"mom2.mom2 is no square matrix of floats, but {dtype} of shape {shape}")
    if shape[0] ** 2 * dtype.itemsize > archive.getinfo("mom2.mom2.npy").file_size:
        raise ValueError("mom2.mom2 is cut short")
    if width is not None and shape[0] != width:
        raise ValueError(f"it is for a module with {shape[0]} inputs, and this one has {width}")
    return dtype


def _native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return float64 for doubles, else float32: what torch takes, and what halves are divided in."""
    return np.dtype(np.float64 if dtype.itemsize == 8 else np.float32)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an npz file; say in words why it, or an array in it, cannot be read."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError:
        raise InputError(f"{path} does not exist. Check the path.") from None
    except (OSError, EOFError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).strip("'\"")
        raise InputError(
            f"{path} cannot be used as statistics: {reason}. An npz file of `edittool stats` or of EasyEdit is needed; "
            "compute it again, or choose another folder."
        ) from None


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"the array {name} is of an unknown version, {version}")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
    return shape, dtype


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray[Any, Any]:
    with archive.open(f"{name}.npy") as file:
        array: np.ndarray[Any, Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _small(archive: zipfile.ZipFile, name: str) -> np.ndarray[Any, Any]:
    if archive.getinfo(f"{name}.npy").file_size > MAX_SMALL_BYTES:
        raise ValueError(f"the array {name} is far larger than it can be")
    return _array(archive, name)


def _count(archive: zipfile.ZipFile) -> int:
    count = _small(archive, "mom2.count")
    if count.shape != () or count.dtype.kind not in "iu" or int(count) < 1:
        raise ValueError("mom2.count is no number of inputs")
    return int(count)


class CovarianceFolder(Mapping[str, Tensor]):
    """The covariances in `files`, by module path: float32 tensors of shape (f, f), each read when it is asked for.

    `widths` has f for modules of the model at hand; `source` says where the files are, in words, and `corpus` what they
    are over, where their folder is named after that. A file that cannot be used raises InputError when it is asked for.
    """

    def __init__(
        self,
        files: Mapping[str, Path],
        widths: Mapping[str, int] | None = None,
        source: str = "",
        corpus: str | None = None,
    ):
        self.files = dict(files)
        self.source, self.corpus = source, corpus
        self._widths = widths or {}

    def __getitem__(self, module: str) -> Tensor:
        return read_covariance(self.files[module], self._widths.get(module))

    def __contains__(self, module: object) -> bool:
        return module in self.files

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


def find_covariances(
    model_name: str,
    model: Any,
    tokenizer: Any,
    modules: Sequence[str],
    *,
    stats_dir: Path | None = None,
    own_stats_dir: Path | None = None,
    corpus: str | None = None,
) -> CovarianceFolder:
    """Return the covariances of `modules` (paths in `model`) that fit the model called `model_name`.

    `stats_dir` is looked in alone: EasyEdit's layout, or a folder with the files themselves. Without it,
    `own_stats_dir`, which hyperparameters name, where there is such a folder, then the cache. Files that tell what they
    are of have to fit weights and tokenizer. Of several corpora, the one called `corpus` counts (`python`: the standard
    library of any version, the last computed), else the one computed last.
    Raises InputError where a file cannot be used, and where `modules` have none, with the command that computes them.
    """
    widths = input_widths(model, modules)
    if not widths:
        return CovarianceFolder({})
    fitting = _Fitting(model, tokenizer)
    strangers = 0
    for folders in _places(model_name, stats_dir, own_stats_dir):
        groups = [group for folder in folders for group in _groups(folder, widths)]
        groups.sort(key=lambda group: (is_called(group.corpus, corpus), group.time), reverse=True)
        for group in groups:
            if all(fitting.accepts(path, widths[module]) for module, path in group.files.items()):
                return CovarianceFolder(group.files, widths, str(group.folder), group.corpus)
            strangers += 1
    raise InputError(_missing(model_name, model, modules, stats_dir, strangers))


def is_called(corpus: str | None, wanted: str | None) -> bool:
    """Say whether `corpus` is the one that hyperparameters call `wanted`; `python` is python-3.11.7, say."""
    if corpus is None or wanted is None:
        return False
    return corpus == wanted or (wanted == "python" and corpus.startswith("python-"))


@dataclass(frozen=True, slots=True)
class _Group:
    """Files of one folder with the same settings, by module path; `time` is when the last of them was written."""

    folder: Path
    files: dict[str, Path]

    @property
    def corpus(self) -> str | None:
        """The name of the corpus, in a folder of EasyEdit's layout."""
        name = self.folder.name
        return name.removesuffix("_stats") if name.endswith("_stats") else None

    @property
    def time(self) -> int:
        return max(path.stat().st_mtime_ns for path in self.files.values())


def _places(model_name: str, stats_dir: Path | None, named: Path | None) -> Iterator[list[Path]]:
    """Yield the folders to look in, those of one place at a time."""
    if stats_dir is not None:
        if not stats_dir.is_dir():
            raise InputError(f"The folder of statistics {stats_dir} does not exist. Check the path.")
        yield _folders(stats_dir, model_name)
        return
    if named is not None and named.is_dir():
        yield _folders(named, model_name)
    yield sorted(stats_cache().glob("*/*/*_stats"))


def _folders(place: Path, model_name: str) -> list[Path]:
    """Return the folders in `place` that can have files of the model; EasyEdit names them by the last part alone."""
    names = dict.fromkeys((model_folder_name(model_name), Path(model_name).name))
    found = [folder for name in names if name for folder in sorted((place / name).glob("*_stats"))]
    return [*found, *sorted(place.glob("*_stats")), place]


def _groups(folder: Path, widths: Mapping[str, int]) -> list[_Group]:
    """Return the groups of files in `folder` that have one for each module of `widths`."""
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.glob("*.npz")):
        name = NAME.fullmatch(path.name)
        if name and name["module"] in widths:
            found.setdefault(name["settings"] or "", {})[name["module"]] = path
    return [_Group(folder, files) for files in found.values() if len(files) == len(widths)]


class _Fitting:
    """Says whether files are of the weights and the tokenizer at hand, which are read at the first question."""

    def __init__(self, model: Any, tokenizer: Any):
        self._model, self._tokenizer = model, tokenizer
        self._digests: dict[str, str] | None = None

    def accepts(self, path: Path, width: int) -> bool:
        """Say whether `path` fits. One that does not tell (EasyEdit's own) does; its shape has to, or InputError."""
        about = read_about(path)
        if about is None:
            check_width(path, width)
            return True
        if self._digests is None:
            self._digests = {"model": model_digest(self._model), "tokenizer": tokenizer_digest(self._tokenizer)}
        key = about.get("key")
        return isinstance(key, dict) and self._digests.items() <= key.items()


def _missing(model_name: str, model: Any, modules: Sequence[str], stats_dir: Path | None, strangers: int) -> str:
    layers, attention = [], False
    for layer in range(model.config.num_hidden_layers):
        of_attention, of_mlp = modules_of_layers(model, [layer], attention=True)
        attention = attention or of_attention in modules
        layers += [str(layer)] if of_attention in modules or of_mlp in modules else []
    options = f" --layers {','.join(layers)}" + " --attention" * attention
    options += "" if stats_dir is None else f" -o {stats_dir}"
    there = f" ({strangers} sets that are there are of other weights or another tokenizer)" if strangers else ""
    return (
        f"There is no covariance of the inputs of {', '.join(modules)} for {model_name} in {stats_dir or 'the cache'}"
        f"{there}. Compute it: edittool stats {model_name}{options}"
    )
