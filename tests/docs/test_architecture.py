"""The page on the architecture: its picture is the one that its source describes, and what both name is there."""

import re
from pathlib import Path
from xml.etree import ElementTree

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
SOURCE = (DOCS / "images" / "architecture.dot").read_text(encoding="utf-8")
PICTURE = ElementTree.parse(DOCS / "images" / "architecture.svg")
PAGE = (DOCS / "architecture.md").read_text(encoding="utf-8")
MADE_BY_USERS = {"BENCH", "report", "NAME"}


def lines_of_labels():
    return [line for label in re.findall(r'label="([^"]+)"', SOURCE) for line in label.split("\\n")]


def test_every_line_of_the_source_stands_in_the_picture():
    drawn = {" ".join("".join(node.itertext()).split()) for node in PICTURE.iter("{http://www.w3.org/2000/svg}text")}
    assert [line for line in lines_of_labels() if " ".join(line.split()) not in drawn] == []


def test_the_picture_shows_each_of_its_places_and_arrows_once():
    kinds = [node.get("class") for node in PICTURE.iter("{http://www.w3.org/2000/svg}g")]
    nodes = set(re.findall(r"^ +(\w+) +\[label=", SOURCE, re.MULTILINE))
    assert kinds.count("node") == len(nodes)
    assert kinds.count("cluster") == SOURCE.count("subgraph cluster_")


def test_modules_and_folders_in_the_picture_exist():
    named = {word for line in lines_of_labels() for word in re.findall(r"[\w/]+(?:\.py|/)", line)}
    below = [
        path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("[a-z]*/**/*") if ".pyc" not in path.name
    ]
    lost = {word for word in named if not any(f"/{path}/".endswith(f"/{word.strip('/')}/") for path in below)}
    assert {word for word in lost if word.strip("/").split("/")[-1].removesuffix(".py") not in MADE_BY_USERS} == set()


def test_paths_and_links_of_the_page_exist():
    paths = {path for path in re.findall(r"`([a-z_]+/[\w/.-]*)`", PAGE) if not path.endswith(".jsonl")}
    links = set(re.findall(r"\]\(([^)#:]+)\)", PAGE))
    assert len(paths) > 20
    assert sorted(path for path in paths if not (REPOSITORY / path).exists()) == []
    assert sorted(path for path in links if not (DOCS / path).exists()) == []
