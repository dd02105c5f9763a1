"""Fetching data sets: from a server on this machine that speaks the hub's protocol, by the command as users run it."""

import hashlib
import os
import resource
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from edittool.benchmark.sources.fetch import DATA_SETS

RUN = (
    "from edittool.cli.bench.bench import bench; from edittool.cli.bench.fetch import fetch; bench.add_command(fetch)\n"
)
RUN += "from edittool.cli.main import main; main()"
CONTENT = b'{"task_id": 2}\n' * 5000
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(ThreadingHTTPServer):
    """As much of the hub as a download needs: files by repository, revision and name."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str, str | None]] = []
        self.cut = False
        self.stored_elsewhere = False

    def publish(self, name, content):
        data_set = DATA_SETS[name]
        place = f"/datasets/{data_set.repository}/resolve/{data_set.revision}/{data_set.file}"
        self.files[place] = content


class Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, with_body):
        self.server.requests.append((self.command, self.path, self.headers["Authorization"]))
        elsewhere = self.path.startswith("/storage")
        content = self.server.files.get(self.path.removeprefix("/storage"))
        if content is None:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.server.stored_elsewhere and not elsewhere:  # as the hub does for large files
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/storage{self.path}")
            self.send_header("X-Linked-ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Linked-Size", str(len(content)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if with_body:
            self.wfile.write(content[: len(content) // 2] if self.server.cut else content)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def hub():
    with Hub() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def run(endpoint, *arguments, file_size=None, **environment):
    def limit():
        if file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

    return subprocess.run(
        [sys.executable, "-c", RUN, "bench", "fetch", *map(str, arguments)],
        env=os.environ | {"HF_ENDPOINT": endpoint, "HF_HUB_DISABLE_XET": "1"} | environment,
        capture_output=True,
        text=True,
        preexec_fn=limit,
    )


def url(hub):
    return f"http://127.0.0.1:{hub.server_port}"


def visible(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_fetched_once_and_checked_the_second_time(tmp_path, hub):
    hub.publish("mbpp+", CONTENT)
    first = run(url(hub), "mbpp+", "-o", tmp_path / "data")
    assert (first.returncode, first.stdout) == (0, f"{tmp_path / 'data' / 'MbppPlus.jsonl'}\n")
    assert (tmp_path / "data" / "MbppPlus.jsonl").read_bytes() == CONTENT
    assert hashlib.sha256(CONTENT).hexdigest() in first.stderr
    assert "next: edittool bench build --mbpp-plus" in first.stderr
    hub.requests.clear()
    second = run(url(hub), "mbpp+", "-o", tmp_path / "data")
    assert (second.returncode, second.stdout) == (0, first.stdout)
    assert "there already" in second.stderr
    assert hub.requests == []
    assert visible(tmp_path / "data") == ["MbppPlus.jsonl"]


def test_a_file_that_the_hub_stores_elsewhere_is_followed(tmp_path, hub):
    hub.publish("mbpp+", CONTENT)
    hub.stored_elsewhere = True
    assert run(url(hub), "mbpp+", "-o", tmp_path).returncode == 0
    assert (tmp_path / "MbppPlus.jsonl").read_bytes() == CONTENT
    assert any(path.startswith("/storage") for _, path, _ in hub.requests)


def test_the_originals_are_accepted(tmp_path, hub, datasets):
    for name in ("humaneval", "mbpp"):
        hub.publish(name, (datasets / DATA_SETS[name].saved_as).read_bytes())
    done = run(url(hub), "-o", tmp_path)
    assert done.returncode == 0
    assert visible(tmp_path) == ["HumanEval.jsonl", "mbpp.jsonl"]
    again = run(url(hub), "-o", tmp_path)
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert again.stderr.count("there already") == 2


def test_no_login_is_sent(tmp_path, hub):
    hub.publish("mbpp+", CONTENT)
    assert run(url(hub), "mbpp+", "-o", tmp_path, HF_TOKEN="hf_secret").returncode == 0
    assert hub.requests
    assert all(login is None for _, _, login in hub.requests)


def test_other_content_is_refused_and_not_kept(tmp_path, hub):
    hub.publish("mbpp", CONTENT)
    done = run(url(hub), "mbpp", "-o", tmp_path)
    assert done.returncode == 3
    assert hashlib.sha256(CONTENT).hexdigest() in done.stderr
    assert str(DATA_SETS["mbpp"].sha256) in done.stderr
    assert DATA_SETS["mbpp"].by_hand in done.stderr
    assert visible(tmp_path) == []


def test_another_file_in_its_place_is_named_and_left_alone(tmp_path, hub):
    (tmp_path / "mbpp.jsonl").write_bytes(CONTENT)
    done = run(url(hub), "mbpp", "-o", tmp_path)
    assert done.returncode == 2
    assert hashlib.sha256(CONTENT).hexdigest() in done.stderr
    assert str(DATA_SETS["mbpp"].sha256) in done.stderr
    assert (tmp_path / "mbpp.jsonl").read_bytes() == CONTENT
    assert hub.requests == []


def test_a_download_that_breaks_off_leaves_nothing(tmp_path, hub):
    hub.publish("mbpp+", CONTENT)
    hub.cut = True
    done = run(url(hub), "mbpp+", "-o", tmp_path)
    assert done.returncode == 3
    assert DATA_SETS["mbpp+"].by_hand in done.stderr
    assert "Traceback" not in done.stderr
    assert visible(tmp_path) == []


def test_a_file_that_the_hub_lacks_is_named(tmp_path, hub):
    done = run(url(hub), "humaneval", "-o", tmp_path)
    assert done.returncode == 3
    assert "the hub answered 404" in done.stderr
    assert f"{url(hub)}/datasets/nus-yam/human-eval/resolve/main/HumanEval.jsonl" in done.stderr
    assert f"save it as {tmp_path / 'HumanEval.jsonl'}" in done.stderr
    assert visible(tmp_path) == []


@pytest.mark.slow  # huggingface_hub asks six times in 23 seconds, and has no setting for that
def test_a_hub_that_cannot_be_reached_is_named(tmp_path, hub):
    endpoint = url(hub)
    hub.shutdown()
    hub.server_close()
    done = run(endpoint, "mbpp", "-o", tmp_path)
    assert done.returncode == 3
    assert endpoint in done.stderr
    assert "refused" in done.stderr
    assert DATA_SETS["mbpp"].by_hand in done.stderr


def test_offline_is_named(tmp_path, hub):
    done = run(url(hub), "mbpp", "-o", tmp_path, HF_HUB_OFFLINE="1")
    assert done.returncode == 3
    assert "HF_HUB_OFFLINE is set" in done.stderr


def test_a_missing_library_is_named(tmp_path, hub):
    code = f"import sys; sys.modules['huggingface_hub'] = None\n{RUN}"
    command = [sys.executable, "-c", code, "bench", "fetch", "mbpp", "-o", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 3
    assert "pip install 'edittool[fetch]'" in done.stderr
    assert visible(tmp_path) == []


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, hub):
    hub.publish("mbpp+", CONTENT)
    done = run(url(hub), "mbpp+", "-o", tmp_path, file_size=10_000)
    assert done.returncode == 3
    assert f"{tmp_path} cannot be written: File too large." in done.stderr
    assert visible(tmp_path) == []


def test_a_file_is_no_folder(tmp_path, hub):
    (tmp_path / "file").write_text("mine")
    done = run(url(hub), "mbpp", "-o", tmp_path / "file")
    assert done.returncode == 2
    assert "is a file" in done.stderr


def test_every_data_set_is_pinned_by_its_content_or_by_a_commit():
    for data_set in DATA_SETS.values():
        assert data_set.sha256 is not None or len(data_set.revision) == 40
