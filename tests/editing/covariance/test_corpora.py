import hashlib
import json
import os
import platform
import random
import sys
from pathlib import Path

import pytest

from edittool.editing.covariance.corpora import Corpus, open_corpus
from edittool.schemas.errors import EnvironmentFault, InputError


def write_rows(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_the_standard_library() -> None:
    corpus = open_corpus("python")
    assert corpus.name == f"python-{platform.python_version()}"
    assert Path(os.__file__).read_text() in list(corpus.documents)
    assert Path(json.__file__).read_text() in list(corpus.documents)
    assert not any("import pytest" in text for text in corpus.documents)  # nothing of site-packages
    assert len(corpus.documents) > 300


def test_a_folder_is_read_in_the_order_of_its_paths(tmp_path: Path) -> None:
    root = tmp_path / "code"
    for name, content in {"b/a.py": b"1", "b.txt": b"2", "a/z.c": b"3", ".git/x": b"4", "c/.hidden": b"5"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    (root / "latin").write_bytes(b"\xe9")
    (root / "binary").write_bytes(b"a\0b")
    os.mkfifo(root / "pipe")
    corpus = open_corpus(str(root))
    assert (corpus.name, list(corpus.documents), corpus.left_out) == ("code", ["3", "2", "1"], 2)


def test_a_large_file_is_data(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(16 * 2**20 + 1)
    (tmp_path / "small").write_text("x")
    corpus = open_corpus(str(tmp_path))
    assert (list(corpus.documents), corpus.left_out) == (["x"], 1)


def test_rows(tmp_path: Path) -> None:
    rows = [{"content": "b", "code": "c"}, {"text": "a é", "content": "b"}, {"code": "c", "more": [1]}]
    path = write_rows(tmp_path / "corpus.jsonl", *rows)
    with path.open("a") as file:
        file.write('\n{"text": "half \\ud800"}')
    corpus = open_corpus(str(path))
    assert (corpus.name, list(corpus.documents)) == ("corpus", ["b", "a é", "c", "half ?"])


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"text": 3}', 'line 2: field "text" must be a string'),
        (
            '{"body": "x", "id": 1}',
            "line 2: a document needs one of the fields 'text', 'content', 'code'; this row has",
        ),
        ("{}", "none at all"),
        ('{"text"', "line 2, column 8: broken JSON"),
        ("[]", "line 2: a JSON object is needed"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, line: str, fault: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n")
    with pytest.raises(InputError) as caught:
        open_corpus(str(path))
    assert str(caught.value).startswith(f"{path}, line 2")
    assert fault in str(caught.value)


def test_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "folder").mkdir()
    for name in ("empty.jsonl", "folder"):
        with pytest.raises(InputError, match=r"is empty|holds no document"):
            open_corpus(str(tmp_path / name))
    with pytest.raises(InputError, match="does not exist"):
        open_corpus(str(tmp_path / "nowhere"))


def test_a_pipe_is_no_corpus(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no ordinary file"):
        open_corpus(str(tmp_path / "pipe"))


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "a")
    (tmp_path / "b").write_text("x")
    assert list(open_corpus(str(tmp_path)).documents) == ["x"]


def test_the_sample_is_that_of_the_reference() -> None:
    texts = [str(i) for i in range(50)]
    order = list(range(50))
    random.Random(1).shuffle(order)
    sample = Corpus("c", texts).sample(7)
    assert list(sample.documents) == [texts[i] for i in order[:7]]
    assert list(sample.documents[2:4]) == [texts[i] for i in order[2:4]]
    assert sorted(Corpus("c", texts).sample(1000).documents) == sorted(texts)


def test_the_digest_is_of_the_texts_in_the_sample() -> None:
    sample = Corpus("c", ["one"]).sample(5)
    assert sample.digest == hashlib.sha256((3).to_bytes(8, "big") + b"one").hexdigest()
    digests = {Corpus("c", texts).sample(5).digest for texts in (["ab", "c"], ["a", "bc"], ["ab", "c", ""], ["abc"])}
    assert len(digests) == 4


def test_a_hub_data_set_needs_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(EnvironmentFault, match=r"pip install 'edittool\[corpora\]'"):
        open_corpus("owner/name:config")
