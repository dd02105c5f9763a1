import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from edittool.analysis.extraction import extract
from edittool.editing.runs.asking import Asked, Chat, go_on
from edittool.editing.runs.execute import run_regime
from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.editing.runs.settings import Run
from edittool.samples.prompts import PromptMaker
from edittool.schemas.bench import Bench
from edittool.schemas.errors import InputError
from edittool.schemas.jsonl import read_rows

from ..conftest import make_model, problem
from ..short_runs import INSTANT, NONE, SAMPLING

TEMPLATE = """\
{{ bos_token }}{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}
{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}"""
DATED = (
    "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}{{ date_string }}"
)
ASKED = problem("a1", "reliability", "len")


@pytest.fixture
def chatty(tokenizer: Any) -> Any:
    """The tokenizer with a chat template, and one that puts a BOS in front of a text."""
    other = AutoTokenizer.from_pretrained(tokenizer.name_or_path)
    other.chat_template = TEMPLATE
    return other


@pytest.fixture
def ask(bench: Bench) -> Any:
    return PromptMaker(bench, "chat").make


def asking(run: Run, ask: Any) -> Run:
    return replace(run, style="chat", ask=ask, sampling=replace(SAMPLING, extract="auto"))


def test_a_chat_is_written_by_the_template_up_to_the_answer(chatty: Any, ask: Any) -> None:
    messages = ask(ASKED).messages
    text = Chat(chatty).text(messages, "t/a1")
    assert text == f"<s>[user] {messages[0]['content']}\n[assistant] "
    ids = Asked(text, templated=True).ids(chatty)
    assert ids == chatty.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert ids.count(chatty.bos_token_id) == 1
    assert Asked(ASKED.prompt).ids(chatty) == chatty(ASKED.prompt)["input_ids"]


def test_a_prompt_alone_documents_nothing() -> None:
    assert go_on(ASKED, ()).text == ASKED.prompt
    with pytest.raises(ValueError, match="documents no change"):
        go_on(ASKED, ["len"])


@pytest.mark.parametrize(
    ("template", "written"),
    [
        (DATED, "26 Jul 2024"),
        ("{{ strftime_now('%Y-%m-%d, %A') }}", "2024-07-26, Friday"),
        ("\n{% if strftime_now is defined %}on {{ strftime_now('%B %d') }}{% endif %}", "\non July 26"),
        ("{% for m in messages %}{{ strftime_now('%-d.%m.%y') }}{% endfor %}", "26.07.24"),
    ],
)
def test_a_template_that_writes_the_date_writes_the_same_every_day(
    chatty: Any, ask: Any, template: str, written: str
) -> None:
    chatty.chat_template = template
    assert Chat(chatty).text(ask(ASKED).messages, "t/a1") == written


def test_the_digest_is_that_of_the_template(chatty: Any) -> None:
    one = Chat(chatty).template_sha256
    assert Chat(chatty).template_sha256 == one
    chatty.chat_template = TEMPLATE + " "
    assert Chat(chatty).template_sha256 != one


def test_a_tokenizer_without_a_template_is_refused_before_anything_is_written(
    llama: Any, tokenizer: Any, bench: Bench, ask: Any, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"no chat template .* Leave out --chat, or give the instruct model"):
        run_regime(llama, tokenizer, bench, asking(NONE, ask), tmp_path / "s.jsonl")
    assert not (tmp_path / "s.jsonl").exists()


@pytest.mark.parametrize("template", ["{{ raise_exception('No users here.') }}", "{{ nothing.at.all }}", "{% if %}"])
def test_a_template_that_refuses_is_named_with_the_problem(chatty: Any, ask: Any, template: str) -> None:
    chatty.chat_template = template
    with pytest.raises(InputError, match=r"cannot write the prompt of t/a1: "):
        Chat(chatty).text(ask(ASKED).messages, "t/a1")


def test_the_model_reads_the_chat(chatty: Any, ask: Any) -> None:
    llama = make_model("llama", vocab_size=len(chatty))
    asked = Asked(Chat(chatty).text(ask(ASKED).messages, "t/a1"), templated=True)
    draw = Draw("t/a1", ASKED.prompt, 0, "a1", asked=asked)
    ((_, answer),) = next(sample(llama, chatty, [draw], Sampling(1, 0, max_new_tokens=8, extract="auto")))
    ids = torch.tensor([asked.ids(chatty)])
    wanted = llama.generate(ids, max_new_tokens=8, do_sample=False)[0, ids.shape[1] :]
    assert answer == chatty.decode(wanted, skip_special_tokens=True)


def test_rows_of_a_chat(llama: Any, chatty: Any, bench: Bench, ask: Any, tmp_path: Path) -> None:
    out, run = tmp_path / "s.jsonl", asking(INSTANT, ask)
    first = run_regime(llama, chatty, bench, run, out)
    rows = [row.data for row in read_rows(out, "sample")]
    assert (first.new, len(rows)) == (22, 22)
    maker, chat = PromptMaker(bench, "chat"), Chat(chatty)
    for row in rows:
        asked = bench.problems[row["task_id"]]
        assert row["prompt_sha256"] == maker.make(asked).sha256()
        answer = row.get("raw", row.get("solution", row.get("completion")))
        found = extract(answer, asked.prompt, asked.entry_point, "auto").to_fields()
        assert {name: row.get(name) for name in ("completion", "solution")} == {
            name: found.get(name) for name in ("completion", "solution")
        }
    said = {(row["style"], row["chat_template_sha256"], row["extraction"]["mode"]) for row in rows}
    assert said == {("chat", chat.template_sha256, "auto")}
    before = out.read_bytes()
    assert run_regime(llama, chatty, bench, run, out).new == 0
    out.write_bytes(b"".join(before.splitlines(keepends=True)[:7]))
    run_regime(llama, chatty, bench, run, out)
    assert out.read_bytes() == before


@pytest.mark.parametrize("field", ["style", "chat_template_sha256", "prompt_sha256", "stops"])
def test_rows_that_were_asked_otherwise_are_of_another_run(
    llama: Any, chatty: Any, bench: Bench, ask: Any, tmp_path: Path, field: str
) -> None:
    out, run = tmp_path / "s.jsonl", asking(NONE, ask)
    run_regime(llama, chatty, bench, run, out)
    lines = out.read_text().splitlines()
    row = json.loads(lines[0])
    row[field] = [] if field == "stops" else "0" * 64
    out.write_text("\n".join([json.dumps(row), *lines[1:], ""]))
    with pytest.raises(InputError, match=r"line 1 is of another"):
        run_regime(llama, chatty, bench, run, out)


def test_a_row_says_where_samples_end(llama: Any, tokenizer: Any, bench: Bench, tmp_path: Path) -> None:
    run_regime(llama, tokenizer, bench, NONE, tmp_path / "s.jsonl")
    said = [(row.data["style"], row.data["stops"]) for row in read_rows(tmp_path / "s.jsonl", "sample")]
    assert said == [("complete", ["</s>"])] * 16


def test_a_chat_is_not_cut(ask: Any) -> None:
    with pytest.raises(InputError, match="--chat does not go with --extract cut"):
        replace(NONE, style="chat", ask=ask)


def test_a_chat_without_room(chatty: Any, bench: Bench, ask: Any, tmp_path: Path) -> None:
    small = make_model("llama")
    small.config.max_position_embeddings = 64
    with pytest.raises(InputError, match=r"The prompt of t/\w+ has \d+ tokens; the model reads from 1 to 63"):
        run_regime(small, chatty, bench, asking(NONE, ask), tmp_path / "s.jsonl")
