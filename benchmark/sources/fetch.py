"""Public data sets, fetched from the Hugging Face hub and held against the hash or the commit that pins them."""

import errno
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from ...schemas.errors import EnvironmentFault, InputError
from ...schemas.whole_files import aside, make_folder, write_faults


@dataclass(frozen=True, slots=True)
class DataSet:
    """Where a data set is, and what it is: the content's SHA-256, or None where only the commit pins it."""

    name: str
    repository: str
    file: str
    revision: str
    sha256: str | None
    saved_as: str
    option: str  # of `edittool bench build`
    by_hand: str  # where a person finds it


# The hub's own pages of HumanEval and MBPP (openai/openai_humaneval, google-research-datasets/mbpp) hold Parquet, which
# would need another heavy dependency; these mirrors hold the original JSONL files, and the hash, which is that of the
# originals on GitHub, makes them as good: the revision may stay "main". A commit id pins its files by itself: MBPP+ in
# JSONL is there in the repository's history only, and nobody has published the hash of that file.
DATA_SETS = {
    data_set.name: data_set
    for data_set in (
        DataSet(
            name="humaneval",
            repository="nus-yam/human-eval",
            file="HumanEval.jsonl",
            revision="main",
            sha256="1d49078ba3e2b196b9344535bef34a43021f038fad9561d6ee7c53450609a6a2",
            saved_as="HumanEval.jsonl",
            option="--humaneval",
            by_hand="https://github.com/openai/human-eval/raw/master/data/HumanEval.jsonl.gz, unpacked with gunzip",
        ),
        DataSet(
            name="mbpp",
            repository="Muennighoff/mbpp",
            file="data/mbpp.jsonl",
            revision="main",
            sha256="ccf64ceae9c5403bf50a044cb6d505bfd2a2963ee58338ba268fd65beab92a9f",
            saved_as="mbpp.jsonl",
            option="--mbpp",
            by_hand="https://github.com/google-research/google-research/raw/master/mbpp/mbpp.jsonl",
        ),
        DataSet(
            name="humaneval+",
            repository="evalplus/humanevalplus",
            file="test.jsonl",
            revision="d32357cf319e50e9c8d8dab5ea876c72b0fd321b",
            sha256="908377f1daf28dcb36846db73a5662b2e05a9907407c2696c89ad9d3b0b04492",
            saved_as="HumanEvalPlus.jsonl",
            option="--humaneval-plus",
            by_hand="https://huggingface.co/datasets/evalplus/humanevalplus/blob/main/test.jsonl",
        ),
        DataSet(
            name="mbpp+",
            repository="evalplus/mbppplus",
            file="test.jsonl",
            revision="9a36f31e81d5e1670b68e6de8ef23da0c4e1abb5",
            sha256=None,
            saved_as="MbppPlus.jsonl",
            option="--mbpp-plus",
            by_hand="https://github.com/evalplus/mbppplus_release/releases (MbppPlus.jsonl.gz, unpacked)",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A data set's file, its SHA-256, and whether it was downloaded just now."""

    path: Path
    sha256: str
    new: bool


def fetch(data_set: DataSet, folder: Path) -> Fetched:
    """Return the file of `data_set` in `folder`, downloaded from the hub at $HF_ENDPOINT unless it is there.

    The file stands in `folder` whole and checked, or not at all. Raises InputError for a folder that is a file and for
    another file in its place, EnvironmentFault for a hub that cannot be reached or lacks the file, for content that
    is not what was expected, and for a folder that cannot be written.
    """
    path = folder / data_set.saved_as
    if path.exists():
        return Fetched(path, _check_present(data_set, path), new=False)
    make_folder(folder, "the place of data sets (-o)")
    with write_faults(folder, note="Nothing was kept."), aside(path) as written:
        downloaded = _download(data_set, path, written.parent)
        found = _check_downloaded(data_set, path, downloaded)
        downloaded.replace(written)
    return Fetched(path, found, new=True)


def _check_present(data_set: DataSet, path: Path) -> str:
    try:
        found = _sha256(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}). Move it away, or choose another folder.") from None
    if data_set.sha256 not in (None, found):
        raise InputError(
            f"{path} is not the file of {data_set.name}: its SHA-256 is {found}, expected is {data_set.sha256}. "
            "Move it away and run this again, or choose another folder."
        )
    return found


def _check_downloaded(data_set: DataSet, path: Path, downloaded: Path) -> str:
    found = _sha256(downloaded)
    if data_set.sha256 not in (None, found):
        raise EnvironmentFault(
            f"{_place(data_set)} is not the file of {data_set.name}: its SHA-256 is {found}, expected is "
            f"{data_set.sha256}. Nothing was kept. {_remedy(data_set, path)}"
        )
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(data_set: DataSet, path: Path, part: Path) -> Path:
    try:
        from huggingface_hub import errors, hf_hub_download
    except ImportError as error:
        raise EnvironmentFault(
            f"Fetching needs huggingface_hub ({error}). Install it: pip install 'edittool[fetch]'. "
            f"Or: {_remedy(data_set, path)}"
        ) from None
    try:
        downloaded = hf_hub_download(
            data_set.repository,
            data_set.file,
            repo_type="dataset",
            revision=data_set.revision,
            local_dir=part,
            endpoint=_endpoint(),
            token=False,  # the data is public: no login of the user is needed, or sent to a mirror
        )
    except (OSError, errors.HTTPError) as error:  # type: ignore[attr-defined]  # the class of its HTTP library
        if _is_of_disk(error):
            raise
        raise EnvironmentFault(
            f"{_place(data_set)} cannot be fetched: {_explain(error)}. {_remedy(data_set, path)}"
        ) from None
    return Path(downloaded)


def _endpoint() -> str | None:
    # huggingface_hub reads the variable once, when it is imported; who imported it before is not ours to know.
    return os.environ.get("HF_ENDPOINT") or None


def _place(data_set: DataSet) -> str:
    endpoint = (_endpoint() or "https://huggingface.co").rstrip("/")
    return f"{endpoint}/datasets/{data_set.repository}/resolve/{data_set.revision}/{data_set.file}"


def _is_of_disk(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EROFS,
        errno.EACCES,
    )


def _explain(error: Exception) -> str:
    """Return in one line what went wrong: huggingface_hub's first line, and the network's own words under it."""
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled) or isinstance(error.__cause__, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set (unset it)"
    if isinstance(error, errors.HfHubHTTPError) and error.response is not None:
        return f"the hub answered {error.response.status_code} {error.response.reason_phrase}"
    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    return (str(root).strip() or type(root).__name__).splitlines()[0].rstrip(".")


def _remedy(data_set: DataSet, path: Path) -> str:
    return f"Set HF_ENDPOINT to a mirror of the hub, or get the file by hand: {data_set.by_hand}; save it as {path}."
