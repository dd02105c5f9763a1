"""`edittool sample` against a server on loopback that behaves, and misbehaves, as each test wants."""

import email.utils
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edittool.benchmark.builtin import load_builtin
from edittool.schemas.jsonl import read_rows

from ..samples.endpoint.http_server import Asked, Behaviour, Reply, Server, refuses, says, serving
from .command import start
from .conftest import Run

CODE = "    return 1\n"
ANSWER = "Here it is:\n\n```python\ndef f():\n    return 1\n```\n"
TASK = "builtin/second_largest"
OTHER = "builtin/is_anagram"


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def sampling(behave: Behaviour, out: Path) -> Iterator[tuple[Server, list[object]]]:
    """Give a server and the command's arguments for two problems, one sample each."""
    with serving(behave) as server:
        yield (
            server,
            ["sample", "builtin", "-o", out, "--base-url", server.url, "--model", "m", "-n", 1, *ask(TASK, OTHER)],
        )


def ask(*task_ids: str) -> list[object]:
    return [part for task_id in task_ids for part in ("--task", task_id)]


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [row.data for row in read_rows(path, "sample")]


def keys_of(path: Path) -> Counter[tuple[str, int]]:
    return Counter((row["task_id"], row["sample_index"]) for row in rows_of(path))


def is_about(asked: Asked, task_id: str) -> bool:
    return load_builtin().problems[task_id].prompt in asked.text


def test_a_chat_is_asked_and_its_answers_are_samples(edittool: Run, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    with sampling(lambda asked: says(ANSWER, reasoning_content="Let me think."), out) as (server, command):
        code, stdout, err = edittool(*command, "-n", 2, "--seed", 7, "--max-tokens", 90)
        assert (code, stdout) == (0, ""), err
        assert "4 new samples" in err
        assert "ended with: stop 4" in err
        assert {asked.path for asked in server.asked} == {"/v1/chat/completions"}
        assert "authorization" not in server.asked[0].headers
        bodies = server.bodies()
        assert sorted(body["seed"] for body in bodies) == [7, 7, 8, 8]
        assert all(
            body.keys() == {"model", "messages", "temperature", "top_p", "max_tokens", "seed"} for body in bodies
        )
        assert "0 new samples (4 were there before)" in edittool(*command, "-n", 2, "--seed", 7, "--max-tokens", 90)[2]
        assert "2 new samples (4 were there before)" in edittool(*command, "-n", 3, "--seed", 7, "--max-tokens", 90)[2]
        assert len(server.asked) == 6
    assert keys_of(out) == {(task, index): 1 for task in (TASK, OTHER) for index in range(3)}
    row = rows_of(out)[0]
    assert row["raw"] == ANSWER
    assert row["extraction"]["mode"] == "auto"
    expected = {"method": "none", "regime": "none", "step": 0, "model": "m", "seed": 7, "finish_reason": "stop"}
    assert expected.items() <= row.items()
    assert row["usage"] == {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    assert row["reasoning"] == "Let me think."
    assert row["served_model"] == "served"


def test_a_base_model_goes_on_with_the_prompt(edittool: Run, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    with sampling(lambda asked: says(CODE), out) as (server, command):
        code, _, err = edittool(*command, "--api", "completions", "--docs", "change")
        assert code == 0, err
        [prompt] = [asked.text for asked in server.asked if is_about(asked, TASK)]  # both come at once, in any order
        assert {asked.path for asked in server.asked} == {"/v1/completions"}
    assert prompt.startswith("# sorted is gone")
    assert prompt.endswith(load_builtin().problems[TASK].prompt)
    rows = rows_of(out)
    assert [row["completion"] for row in rows] == [CODE, CODE]
    assert {row["method"] for row in rows} == {"docs-change"}


MADE_ROWS = [
    ("refusal", lambda: says(None, refusal="I would rather not."), "refusal", "stop"),
    ("refusal and a program", lambda: says(ANSWER, refusal="Only this once."), None, "stop"),
    ("a byte order mark", lambda: Reply(b"\xef\xbb\xbf" + says("x").body), None, "stop"),
    ("two lines", lambda: says("x", "st\nop"), None, "st op"),
    ("filtered", lambda: says(None, "content_filter"), "empty", "content_filter"),
    ("truncated", lambda: says("```python\ndef f(", "length"), None, "length"),
    ("all reasoning", lambda: says(None, "length", reasoning="hm " * 9), "empty", "length"),
    ("empty", lambda: says("  \n"), "empty", "stop"),
    ("parts", lambda: says([{"type": "text", "text": "x = 1"}, {"type": "image"}, 3]), None, "stop"),  # type: ignore[arg-type]
    ("no reason", lambda: says("x", None), None, None),
    ("tools", lambda: says(None, "tool_calls", tool_calls=[{"id": "1"}]), "empty", "tool_calls"),
    ("long", lambda: says("x" * 1_000_001), "too_long", "stop"),
    ("a lone surrogate", lambda: Reply(rb'{"choices": [{"message": {"content": "\ud800"}}]}'), None, None),
    ("escapes", lambda: says("\x1b[2J\x00\u2028", "\x1b[2J"), None, "\x1b[2J"),
    ("too long for it", lambda: refuses(400, "maximum context length is 9 tokens"), "bad_request", None),
    ("filtered request", lambda: refuses(400, "no", code="content_filter"), "bad_request", None),
    ("too large", lambda: refuses(413, "too large"), "bad_request", None),
    ("huge", lambda: Reply(b"x" * (17 * 2**20)), "too_long", None),
]


def test_every_end_is_a_row_that_says_so(edittool: Run, tmp_path: Path, subtests: pytest.Subtests) -> None:
    for name, reply, kind, reason in MADE_ROWS:
        with subtests.test(name):
            out = tmp_path / f"{name}.jsonl"
            with sampling(lambda asked, reply=reply: reply() if is_about(asked, TASK) else says("x"), out) as (
                _,
                command,
            ):
                code, _, err = edittool(*command)
            assert code == (1 if kind == "bad_request" else 0), err
            assert "\x1b[2J" not in err
            [row] = [row for row in rows_of(out) if row["task_id"] == TASK]
            assert row.get("failure", {}).get("kind") == kind
            assert row.get("finish_reason") == reason
            assert row.get("refusal") == ("Only this once." if name == "refusal and a program" else None)
            assert (kind is None) or kind in err


# What is wrong once or twice, and then right.
PASSING = [
    ("429", lambda: refuses(429)),
    ("429 and seconds", lambda: refuses(429, headers={"Retry-After": "1"})),
    (
        "429 and a date",
        lambda: refuses(429, headers={"Retry-After": email.utils.formatdate(time.time() + 1, usegmt=True)}),
    ),
    ("429 and nonsense", lambda: refuses(429, headers={"Retry-After": "soon, 1e999"})),
    ("500", lambda: refuses(500)),
    ("503", lambda: refuses(503, headers={"retry-after-ms": "20"})),
    ("529", lambda: Reply(b"<html>overloaded</html>", 529)),
    ("408", lambda: refuses(408)),
    ("a page", lambda: Reply(b"<html><h1>Bad Gateway</h1></html>", 502)),
    ("a page as 200", lambda: Reply(b"<html>log in</html>")),
    ("an error as 200", lambda: Reply(b'{"error": {"code": 429, "message": "slow down"}}')),
    ("an error as 200, no code", lambda: Reply(b'{"error": "oops"}')),
    ("an answer that broke off", lambda: says("x = ", "error")),
    ("an answer that was given up", lambda: says("x = ", "abort")),
    ("a choice with an error", lambda: Reply(b'{"choices": [{"message": {"content": "x"}, "error": {"code": 502}}]}')),
    ("a huge page", lambda: Reply(b"x" * (17 * 2**20), 502)),
    ("cut", lambda: Reply(says("x").body, cut=20)),
    ("cut at once", lambda: Reply(b"x", cut=0)),
    ("half of a JSON", lambda: Reply(says("x").body[:30])),
    ("no choices", lambda: Reply(b'{"choices": []}')),
    ("choices of nothing", lambda: Reply(b'{"choices": [null]}')),
    ("no message", lambda: Reply(b'{"choices": [{"message": "hello"}]}')),
    ("a list", lambda: Reply(b"[1]")),
    ("deep", lambda: Reply(b"[" * 100_000)),
    ("no UTF-8", lambda: Reply(b'{"choices": "\xff"}')),
    ("a long number", lambda: Reply(b'{"choices": ' + b"9" * 5000 + b"}")),
    ("slow", lambda: Reply(b"", delay=30)),
    ("drop by drop", lambda: Reply(b" " * 1000, drip=0.1)),
    ("no gzip", lambda: Reply(b"not gzip", headers={"content-encoding": "gzip"})),
]


def test_what_goes_wrong_once_is_tried_again(edittool: Run, tmp_path: Path) -> None:
    """Each of PASSING comes once, before the right answer to one problem; all of them in one run."""
    out = tmp_path / "s.jsonl"
    problems = list(load_builtin().problems)[: len(PASSING)]
    tries: Counter[str] = Counter()

    def behave(asked: Asked) -> Reply:
        task_id = next(task_id for task_id in problems if is_about(asked, task_id))
        tries[task_id] += 1
        return PASSING[problems.index(task_id)][1]() if tries[task_id] == 1 else says("x")

    with serving(behave) as server:
        command = ["sample", "builtin", "-o", out, "--base-url", server.url, "--model", "m", "-n", 1, "--timeout", 2]
        code, _, err = edittool(*command, "--concurrency", 32, *ask(*problems))
    assert code == 0, err
    named = {PASSING[problems.index(task_id)][0]: count for task_id, count in tries.items()}
    assert named == {name: 2 for name, _ in PASSING}
    assert keys_of(out) == {(task_id, 0): 1 for task_id in problems}
    assert not any("failure" in row for row in rows_of(out))


def test_a_wait_that_is_asked_for_is_kept_by_all(edittool: Run, tmp_path: Path) -> None:
    times: list[float] = []

    def behave(asked: Asked) -> Reply:
        times.append(time.monotonic())
        return refuses(429, headers={"Retry-After": "2"}) if asked.number == 0 else says("x")

    with sampling(behave, tmp_path / "s.jsonl") as (_, command):
        code, _, err = edittool(*command, "--concurrency", 1, "--retries", 0)
    assert code == 0, err
    assert times[1] - times[0] >= 2
    assert "429" in err


STOPPING = [
    ("401", lambda: refuses(401, "no key"), 2, "set the variable OPENAI_API_KEY"),
    ("403", lambda: refuses(403, "not for you"), 2, "OPENAI_API_KEY"),
    ("404", lambda: refuses(404, "The model `m` does not exist", code="model_not_found"), 2, "the server has a, b"),
    ("400", lambda: refuses(400, "max_tokens is not supported"), 2, "--extra-body"),
    ("422", lambda: Reply(b'{"detail": [{"loc": ["body", "top_p"]}]}', 422), 2, "top_p"),
    (
        "301",
        lambda: Reply(b"", 301, {"location": "https://else.example/v1/chat/completions"}),
        2,
        "It leads to https://else.example/v1: give",
    ),
    ("202", lambda: Reply(b"", 202), 2, "no answer came with it"),
    ("a huge 401", lambda: Reply(b"x" * (17 * 2**20), 401), 2, "OPENAI_API_KEY"),
    ("no quota", lambda: refuses(429, "You exceeded", code="insufficient_quota"), 3, "quota"),
    ("a hard limit", lambda: refuses(400, "Billing", code="billing_hard_limit_reached"), 3, "quota"),
    ("not active", lambda: refuses(429, "Billing", code="billing_not_active"), 3, "quota"),
    ("no credit", lambda: refuses(402, "Pay first"), 3, "credit"),
    ("an age", lambda: refuses(429, headers={"Retry-After": "1e300"}), 3, "more than a day"),
    ("always 429", lambda: refuses(429), 3, "It is busy"),
    ("always broken off", lambda: says("x", "error"), 3, "the server broke off the answer"),
    (
        "an engine's error",
        lambda: Reply(b'{"choices": [{"error": {"message": "no\\nmemory"}}]}'),
        3,
        "answer: no memory",
    ),
    ("a day", lambda: refuses(429, headers={"Retry-After": "86400"}), 3, "86400 s"),
    ("always busy", lambda: refuses(503, "loading the model"), 3, "loading the model"),
    ("always 500", lambda: refuses(500, "no memory"), 3, "no memory"),
    ("always 500, and no wait", lambda: refuses(500, "bug", headers={"Retry-After": "0"}), 3, "bug (2 tries)"),
    ("always nonsense", lambda: Reply(b"<html>"), 3, "malformed"),
    ("never enough context", lambda: refuses(400, "context length exceeded"), 3, "longer than the model's context"),
]


def test_what_no_retry_mends_stops_the_run_and_leaves_no_file(
    edittool: Run, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    models = Reply(b'{"data": [{"id": "a"}, {"id": "b"}, {"id": 3}]}')
    for name, reply, expected, words in STOPPING:
        with subtests.test(name):
            out = tmp_path / "a" / "b" / f"{name}.jsonl"
            answers = lambda asked, reply=reply: models if asked.path == "/v1/models" else reply()  # noqa: E731
            with sampling(answers, out) as (_, command):
                code, _, err = edittool(*command, "--retries", 1, "--patience", 5)
            assert code == expected, err
            assert words in err
            assert "Is the server up" not in err
            assert list(tmp_path.iterdir()) == []


def test_behind_a_link_to_nothing_nothing_is_left_but_the_link(edittool: Run, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    out.symlink_to(tmp_path / "there")
    with sampling(lambda asked: refuses(401), out) as (_, command):
        assert edittool(*command)[0] == 2
    assert list(tmp_path.iterdir()) == [out]


def test_what_is_no_file_of_samples_is_left_as_it_is(edittool: Run, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    out.write_text("{'a': 1")
    os.mkfifo(tmp_path / "pipe")
    with sampling(lambda asked: says("x"), out) as (server, command):
        code, _, err = edittool(*command)
        assert (code, out.read_text()) == (2, "{'a': 1"), err
        code, _, err = edittool(*command, "-o", tmp_path / "pipe")
        assert code == 2
        assert "is no ordinary file but a pipe" in err
        assert not server.asked


def test_a_server_that_is_not_there(edittool: Run, tmp_path: Path) -> None:
    with serving(lambda asked: says("x")) as gone:
        pass
    command = ["sample", "builtin", "-o", tmp_path / "s.jsonl", "--base-url", gone.url, "--model", "m", "--retries", 1]
    code, _, err = edittool(*command)
    assert code == 3
    assert "Is the server up?" in err


def test_a_failure_on_one_prompt_alone_is_no_sample_and_asked_for_again(edittool: Run, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    broken = True

    def behave(asked: Asked) -> Reply:
        return refuses(500, "oops") if broken and is_about(asked, TASK) else says("x")

    with sampling(behave, out) as (_, command):
        code, _, err = edittool(*command, "--retries", 1)
        assert code == 1
        assert f"server_error 1 (sample 0 of {TASK}: the server answered 500: oops (2 tries))" in err
        assert TASK not in {row["task_id"] for row in rows_of(out)}
        broken = False
        assert edittool(*command)[0] == 0
    assert [row["task_id"] for row in rows_of(out)].count(TASK) == 1
    assert not any("failure" in row for row in rows_of(out))


def test_a_server_that_dies_on_the_way_keeps_what_it_answered_and_charges_nothing(
    edittool: Run, tmp_path: Path
) -> None:
    out = tmp_path / "s.jsonl"
    dead = True

    def behave(asked: Asked) -> Reply:
        return refuses(500, "gone") if dead and asked.number >= 5 else says("x")

    with serving(behave) as server:
        command = ["sample", "builtin", "-o", out, "--base-url", server.url, "--model", "m", "-n", 1, "--retries", 0]
        code, _, err = edittool(*command, "--concurrency", 2)
        assert code == 3
        assert "answered none of the last" in err
        assert len(rows_of(out)) == 5
        dead = False
        assert edittool(*command)[0] == 0
    assert keys_of(out) == {(task_id, 0): 1 for task_id in load_builtin().problems}
    assert not any("failure" in row for row in rows_of(out))


def test_one_problem_that_always_fails_blocks_no_other(edittool: Run, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    with sampling(lambda asked: refuses(500) if is_about(asked, TASK) else says("x"), out) as (_, command):
        for found in (0, 24):
            code, _, err = edittool(*command, "-n", 24, "--retries", 0)
            assert code == 1, err
            assert "server_error 24" in err
            assert keys_of(out) == {(OTHER, index): 1 for index in range(24)}
            assert (f"({found} were there before)" in err) == (found > 0)


def test_a_server_that_fails_on_everything_is_given_up_soon_however_many_samples_a_problem_has(
    edittool: Run, tmp_path: Path
) -> None:
    with serving(lambda asked: refuses(500)) as server:
        command = ["sample", "builtin", "-o", tmp_path / "s.jsonl", "--base-url", server.url, "--model", "m"]
        code, _, err = edittool(*command, "-n", 200, "--retries", 0, "--concurrency", 4)
        assert code == 3, err
        assert len(server.asked) < 50


def test_a_prompt_is_refused_only_by_a_server_that_answers(edittool: Run, tmp_path: Path) -> None:
    out, refused = tmp_path / "s.jsonl", tmp_path / "refused.jsonl"
    with sampling(lambda asked: says("x"), out) as (_, command):
        assert edittool(*command)[0] == 0
    with sampling(lambda asked: refuses(400, "top_p is not supported"), out) as (_, command):
        code, _, err = edittool(*command, "-n", 2)
        assert code == 1
        assert "bad_request 2" in err
        assert "the same command asks again" in err
        code, _, err = edittool(*command[:3], refused, *command[4:-4], *ask(OTHER))
    assert (code, refused.exists()) == (2, False), err
    assert keys_of(out) == {(task, 0): 1 for task in (TASK, OTHER)}


def test_a_server_that_begins_to_refuse_everything_charges_nothing(edittool: Run, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"
    with serving(lambda asked: says("x") if asked.number < 5 else refuses(400, "the model is gone")) as server:
        command = ["sample", "builtin", "-o", out, "--base-url", server.url, "--model", "m", "-n", 1]
        code, _, err = edittool(*command, "--concurrency", 2)
    assert code == 3
    assert "the model is gone. The prompt may be longer" in err
    assert len(rows_of(out)) == 5
    assert not any("failure" in row for row in rows_of(out))


def test_waits_that_the_server_asks_for_are_no_tries(edittool: Run, tmp_path: Path) -> None:
    wait = refuses(429, headers={"retry-after-ms": "20"})
    replies = [*[wait] * 6, refuses(500), *[wait] * 6]
    started = time.monotonic()
    with sampling(
        lambda asked: replies[asked.number] if asked.number < len(replies) else says("x"), tmp_path / "s"
    ) as (
        _,
        command,
    ):
        code, _, err = edittool(*command, "--concurrency", 1, "--retries", 1)
    assert code == 0, err
    assert time.monotonic() - started < 20  # pauses that double would have come to two minutes


# What the environment has broken, and the variable that the message names.
BROKEN_VARIABLES = [
    ({"http_proxy": "garbage://x"}, "http_proxy"),
    ({"HTTP_PROXY": "http://127.0.0.1:99999"}, "HTTP_PROXY"),
    ({"all_proxy": "http://x:abc"}, "all_proxy"),
    ({"http_proxy": "socks5://127.0.0.1:9"}, "socksio"),
    ({"http_proxy": "http://me:secret@["}, "http_proxy"),
    ({"http_proxy": "http://127.0.0.1:9"}, "no connection through the proxy of http_proxy"),
    ({"SSL_CERT_FILE": "/nowhere/certificates.pem"}, "SSL_CERT_FILE"),
    ({"SSL_CERT_FILE": os.devnull}, "SSL_CERT_FILE"),
]


def test_broken_variables_are_named(edittool: Run, tmp_path: Path, subtests: pytest.Subtests) -> None:
    with sampling(lambda asked: says("x"), tmp_path / "s.jsonl") as (_, command):
        for variables, words in BROKEN_VARIABLES:
            with subtests.test(str(variables)), pytest.MonkeyPatch.context() as patch:
                for name, value in variables.items():
                    patch.setenv(name, value)
                code, _, err = edittool(*command, "--retries", 0)
                assert code == 3
                assert words in err
                assert "secret" not in err
                assert list(tmp_path.iterdir()) == []


def test_a_proxy_is_asked_and_named(edittool: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with sampling(lambda asked: says("x"), tmp_path / "s.jsonl") as (server, command):
        monkeypatch.setenv("http_proxy", server.url.removesuffix("/v1").removeprefix("http://"))
        assert "unencrypted (http://), through the proxy of the variable http_proxy" in edittool(*command)[2]
        assert server.asked[0].path == f"{server.url}/chat/completions"
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert "unencrypted" not in edittool(*command, "-n", 2)[2]
        assert server.asked[-1].path == "/v1/chat/completions"
    with sampling(lambda asked: refuses(407), tmp_path / "t.jsonl") as (server, command):
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("http_proxy", server.url)
        code, _, err = edittool(*command)
        assert code == 3
        assert "the variable http_proxy wants a name and a password" in err


def test_no_more_requests_at_once_than_asked_for(edittool: Run, tmp_path: Path) -> None:
    with serving(lambda asked: Reply(says("x").body, delay=0.02)) as server:
        command = ["sample", "builtin", "-o", tmp_path / "s.jsonl", "--base-url", server.url, "--model", "m", "-n", 1]
        assert edittool(*command, "--concurrency", 3)[0] == 0
        assert 1 < server.most_at_once <= 3


def test_other_settings_do_not_mix(edittool: Run, tmp_path: Path, subtests: pytest.Subtests) -> None:
    out = tmp_path / "s.jsonl"
    (tmp_path / "t.txt").write_text("Do this:\n$docs$prompt\n")
    others = {
        "model": ["--model", "other"],
        "temperature": ["--temperature", 0.1],
        "top_p": ["--top-p", 0.5],
        "max_tokens": ["--max-tokens", 3],
        "seed": ["--seed", 1],
        "docs": ["--docs", "change"],
        "api": ["--api", "completions"],
        "extract": ["--extract", "none"],
        "extra_body_sha256": ["--extra-body", '{"top_k": 3}'],
        "template_sha256": ["--template", tmp_path / "t.txt"],
    }
    with sampling(lambda asked: says("x"), out) as (server, command):
        assert edittool(*command)[0] == 0
        before = out.read_bytes()
        for name, options in others.items():
            with subtests.test(name):
                code, _, err = edittool(*command, *options)
                assert code == 2
                assert "of another run" in err
                assert name in err or (name == "docs" and "method" in err)
        assert out.read_bytes() == before
        assert len(server.asked) == 2
        same = [*command, "--concurrency", 2, "--timeout", 9, "--retries", 3, "--patience", 7]
        assert edittool(*same)[0] == 0


def test_fields_can_be_added_and_removed(edittool: Run, tmp_path: Path) -> None:
    extra = '{"max_tokens": null, "temperature": null, "max_completion_tokens": 5, "top_k": 2}'
    with sampling(lambda asked: says("x"), tmp_path / "s.jsonl") as (server, command):
        assert edittool(*command, "--extra-body", extra)[0] == 0
        assert server.bodies()[0].keys() == {"model", "messages", "top_p", "max_completion_tokens", "top_k"}
    row = rows_of(tmp_path / "s.jsonl")[0]
    assert "temperature" not in row
    assert "extra_body_sha256" in row


KEY = "sk-loopback/0123456789"
ESCAPED = KEY.replace("/", "\\/").replace("s", "\\u0073")  # as JSON may write it


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(
    edittool: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    out = tmp_path / "s.jsonl"
    answer = says(f"the key is {KEY}", KEY, reasoning=KEY).body.replace(b"prompt_tokens", KEY.encode())
    replies = [answer, answer.replace(KEY.encode(), ESCAPED.encode())]
    with sampling(lambda asked: Reply(replies[asked.number % 2]), out) as (server, command):
        code, stdout, err = edittool(*command)
        assert code == 0, err
        assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    for reply in (
        refuses(401, f"Incorrect API key provided: {KEY}"),
        refuses(400, KEY),
        Reply(f"<html>{KEY}".encode()),
        Reply(f'{{"{"x" * 190}{KEY}'.encode()),
        Reply(f'{{"error": "{ESCAPED}"}}'.encode(), 401),
        Reply(f'{{"error": "{ESCAPED}'.encode(), 401),
        refuses(401, json.dumps({"error": ESCAPED})),
        Reply(f'{{"{ESCAPED}": 1}}'.encode()),
        Reply(b"", 301, {"location": f"http://else.example/{KEY}"}),
    ):
        with sampling(lambda asked, reply=reply: reply, tmp_path / "t.jsonl") as (_, command):
            code, more_out, more_err = edittool(*command, "--retries", 0)
        assert code in (2, 3)
        stdout, err = stdout + more_out, err + more_err
    assert "loopback" not in out.read_text() + stdout + err
    assert out.read_text().count("the key is [OPENAI_API_KEY]") == 2


USAGE = [
    (["-o", "-"], "-o needs a file"),
    (["--base-url", "http://me:secret@localhost/v1"], "name or a password"),
    (["--base-url", "http://localhost/v1?api-key=secret"], "query"),
    (["--base-url", "localhost:8000/v1"], "http://"),
    (["--base-url", "http://localhost:99999/v1"], "no URL"),
    (["--base-url", "file:///etc/passwd"], "http://"),
    (["--base-url", "http://localhost/v1/chat/completions"], "/chat/completions"),
    (["--temperature", "0", "-n", "2"], "-n 1"),
    (["--temperature", "-1"], "--temperature"),
    (["--temperature", "nan"], "--temperature"),
    (["--top-p", "0"], "--top-p"),
    (["--max-tokens", "0"], "--max-tokens"),
    (["--seed", "-1"], "--seed"),
    (["--model", " "], "--model"),
    (["--extra-body", "{"], "no JSON"),
    (["--extra-body", "[]"], "no JSON object"),
    (["--extra-body", '{"x": NaN}'], "no JSON"),
    (["--extra-body", '{"x": 1e999}'], "no JSON"),
    (["--extra-body", "[" * 200], "no JSON"),
    (["--extra-body", '{"echo": true}'], "begin with the prompt"),
    (["--extra-body", '{"suffix": "x"}'], "suffix"),
    (["--timeout", "nan"], "no number of seconds"),
    (["--timeout", "inf"], "no number of seconds"),
    (["--patience", "nan"], "no number of seconds"),
    (["--patience", "inf"], "no number of seconds"),
    (["--seed", "2147483644"], "at most 2^31 - 5 with 5 samples"),
    (["--extra-body", '{"n": 4}'], "-n asks"),
    (["--extra-body", '{"stream": true}'], "read whole"),
    (["--extra-body", '{"temperature": 1}'], "--temperature"),
    (["--task", "builtin/second_largist"], "Did you mean"),
    (["--task", TASK, "--subset", "specificity"], "no problem"),
]


def test_mistakes_on_the_command_line(edittool: Run, tmp_path: Path, subtests: pytest.Subtests) -> None:
    for options, words in USAGE:
        with subtests.test(" ".join(options)):
            out = tmp_path / "s.jsonl"
            command = ["sample", "builtin", "-o", out, "--base-url", "http://127.0.0.1:9/v1", "--model", "m"]
            code, _, err = edittool(*command, *options)
            assert code == 2
            assert words in err
            assert "secret" not in err
            assert not out.exists()


def test_a_bad_key_is_told_without_showing_it(edittool: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one\nsk-two")
    with sampling(lambda asked: says("x"), tmp_path / "s.jsonl") as (_, command):
        code, _, err = edittool(*command)
    assert code == 2
    assert "OPENAI_API_KEY" in err
    assert "sk-" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interruption_keeps_what_was_answered_and_the_same_command_goes_on(number: int, tmp_path: Path) -> None:
    out = tmp_path / "s.jsonl"

    def behave(asked: Asked) -> Reply:
        return Reply(says("x").body, delay=0.02 if asked.number < 20 else 30)

    command: list[object] = ["sample", "builtin", "-o", out, "--model", "m", "-n", 2, "--base-url"]
    with serving(behave) as server:
        process = start(*command, server.url)
        deadline = time.monotonic() + 60
        while (not out.exists() or out.read_bytes().count(b"\n") < 20) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130), err
        assert number == signal.SIGKILL or "same command again" in err
    assert len(out.read_text().splitlines()) == 20
    torn = json.dumps({"task_id": TASK, "completion": "cut sho"})[:-4]
    with out.open("a") as file:
        file.write(torn if number == signal.SIGKILL else "")
    with serving(lambda asked: says("x")) as server:
        second = start(*command, server.url)
        _, err = second.communicate(timeout=60)
        assert second.returncode == 0, err
        assert len(server.asked) == 100
    assert keys_of(out) == {(task_id, index): 1 for task_id in load_builtin().problems for index in range(2)}


def test_a_second_signal_changes_nothing_of_how_it_ends(tmp_path: Path, subtests: pytest.Subtests) -> None:
    for first, second, gap in (
        (signal.SIGINT, signal.SIGINT, 0.01),
        (signal.SIGTERM, signal.SIGTERM, 0.03),
        (signal.SIGINT, signal.SIGTERM, 0.1),
    ):
        with subtests.test(f"{first}, {second}"), serving(lambda asked: Reply(b"", delay=30)) as server:
            process = start("sample", "builtin", "-o", tmp_path / "s", "--model", "m", "--base-url", server.url)
            deadline = time.monotonic() + 60
            while not server.asked and time.monotonic() < deadline:
                time.sleep(0.02)
            process.send_signal(first)
            time.sleep(gap)
            process.send_signal(second)
            _, err = process.communicate(timeout=60)
            assert process.returncode == 130, err
            assert "Traceback" not in err
