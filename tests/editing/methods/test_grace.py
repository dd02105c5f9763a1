import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from edittool.editing.context import EditContext, Speedups
from edittool.editing.edits.codebook import entries_at, looking_at, rounding
from edittool.editing.edits.edit import Edit
from edittool.editing.methods.grace import GraceHparams, check_grace, teach_grace
from edittool.editing.methods.hparams import read_hparams
from edittool.editing.methods.table import find_method
from edittool.editing.model.families import family_of
from edittool.editing.requests import EditRequest
from edittool.editing.runs.sampling import Draw, Sampling, sample
from edittool.editing.sampling.reading import left_pad
from edittool.schemas.errors import InputError

HIDDEN = 32
BASE, NEAR, FAR, LONGER = "x = load(b)", "x = load(c)", "def first(x):\n", "x = load(bc)"


def ask(prompt: str, target: str) -> EditRequest:
    return EditRequest(prompt, "x", target)


# With `tuned`: first entry / append / wider / split / trained on / taught anew / a label that differs by the prompt.
SEQUENCE = [
    ask(BASE, "read(a)"),
    ask(FAR, "    return new(x)\n"),
    ask(NEAR, "read(a)"),
    ask(NEAR, "open(path)"),
    ask(BASE, "read(a)"),
    ask(NEAR, "None"),
    ask(LONGER, "None"),
]
STARTS = [torch.rand(HIDDEN, generator=torch.Generator().manual_seed(i)) for i in range(len(SEQUENCE))]
CONTEXT = EditContext(initial_values=STARTS)


def hparams(model: Any, **changes: Any) -> GraceHparams:
    made = GraceHparams([family_of(model).mlp_out.format(1)], edit_lr=0.5, n_iter=5, eps=1.0)
    return replace(made, **changes)


def tuned(model: Any, tokenizer: Any, **changes: Any) -> GraceHparams:
    """Choose eps so that NEAR lies between one and two of it from BASE."""
    hp = hparams(model, **changes)
    keys = [look(model, hp, tokenizer(prompt)["input_ids"])[0] for prompt in (BASE, NEAR)]
    return replace(hp, eps=float((keys[0] - keys[1]).norm()) / 1.4)


def context(start: int, end: int) -> EditContext:
    return EditContext(initial_values=STARTS[start:end])


def look(
    model: Any, hp: GraceHparams, ids: list[int], p: int = -1, value: Any = None, replacement: str = ""
) -> tuple[Any, Any, Any]:
    """Return the edited layer's input and own output at p, and the logits with `value` written there."""
    seen = []

    def hook(module: Any, args: Any, output: Any) -> Any:
        seen.append((args[0][0, p].detach().clone(), output[0, p].detach().clone()))
        if value is None:
            return None
        columns = list(range(len(ids)))
        chosen = {"replace_last": [p], "replace_prompt": columns[:p], "replace_all": columns, "through p": range(p + 1)}
        rows = [value if i in chosen[replacement] else output[0, i] for i in columns]
        return torch.stack(rows)[None]

    handle = model.get_submodule(hp.inner_params[0]).register_forward_hook(hook)
    logits = model(torch.tensor([ids])).logits[0]
    handle.remove()
    return *seen[0], logits


def plain(
    model: Any, tokenizer: Any, hp: GraceHparams, requests: list[EditRequest], slip: str = ""
) -> tuple[dict[str, torch.Tensor], list[str]]:
    """GRACE written plainly from its equations, Adam by hand; `slip` makes one mistake. Also tells the branches."""
    keys, values, radii, labels, branches, losses = [], [], [], [], [], []
    moments = [torch.zeros(HIDDEN), torch.zeros(HIDDEN), 0]
    for request, start in zip(requests, STARTS, strict=False):
        between = "" if hp.profile == "exact" or slip == "no space" else " "
        ids = tokenizer(request.prompt + between + request.target)["input_ids"]
        if hp.profile == "original" or slip == "an end of text":
            ids = [*ids, tokenizer.eos_token_id]
        n = len(tokenizer(request.prompt)["input_ids"])
        p = n - 1 + {"position early": -1, "position late": 1}.get(slip, 0)
        label = torch.tensor([-100] * n + ids[n:] if slip != "label without prompt" else ids[n:]).float().mean()
        query, own, _ = look(model, hp, ids, p)
        start = own if hp.val_init == "warm" else torch.zeros(HIDDEN) if slip == "starts from zeros" else start
        j = len(keys)
        if keys:
            gaps = [(query - key).norm() for key in keys]
            near = min(range(len(keys)), key=lambda i: gaps[i])
            gap = gaps[near]
            same = label == (labels[::-1] if hp.grace_label_order == "prepend" or slip == "prepend" else labels)[near]
            if gap > (hp.eps if slip == "threshold without radius" else hp.eps + radii[near]):
                branches.append("append")
            elif same:
                j = near
                branches.append("trained on")
                if gap > radii[j]:
                    branches[-1] = "wider"
                    radii[j] = gap + hp.eps if slip == "wider by eps" else gap
                    if hp.eps_expand == "moving_average" and slip != "key stands still":
                        keys[j] = keys[j] / 2 + query / 2
            elif gap <= 1e-5 * query.norm():
                j = near
                branches.append("taught anew")
                values[j], labels[j], radii[j] = start, label, min(radii[j], torch.tensor(hp.eps))
            else:
                branches.append("split")
                if slip != "no split":
                    radii[near] = gap / 2 - 1e-5
        else:
            branches.append("first")
        if j == len(keys):
            split = branches[-1] == "split" and slip != "no split"
            keys.append(query)
            values.append(start)
            labels.append(label)
            radii.append(gap / 2 if split else torch.tensor(hp.eps))
        if slip != "Adam goes on":
            moments = [torch.zeros(HIDDEN), torch.zeros(HIDDEN), 0]
        for step in range(hp.n_iter + (slip == "one step more")):
            value = values[j].clone().requires_grad_()
            unseen = slip == "key comes later" and step == 0
            chosen = "through p" if slip == "prompt through p" else hp.replacement
            scores = look(model, hp, ids, p, None if unseen else value, chosen)[2].log_softmax(-1)
            first = 1 if slip == "prompt counts" else n
            terms = [scores[i - (slip != "labels not shifted"), ids[i]] for i in range(first, len(ids))]
            loss = -sum(terms) / (1 if slip == "sum" else len(terms))
            losses.append(loss.detach())
            if unseen:
                continue
            loss.backward()
            m, v, t = moments
            m, v, t = 0.9 * m + 0.1 * value.grad, 0.999 * v + 0.001 * value.grad**2, t + 1
            moments = [m, v, t]
            move = hp.edit_lr * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
            values[j] = (value - move).detach()
    found = {"keys": keys, "values": values, "radii": radii, "losses": losses}
    model.zero_grad()
    return {name: torch.stack([torch.as_tensor(row) for row in rows]).float() for name, rows in found.items()}, branches


def ours(edit: Edit) -> dict[str, torch.Tensor]:
    book = edit.codebook()
    assert book is not None
    return book._asdict() | {"losses": torch.tensor(edit.losses)}


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> dict[str, float]:
    """Return how far the tensors lie apart, relative to their norms; infinitely where the numbers of rows differ."""
    return {
        name: float((one[name] - other[name]).norm() / other[name].norm())
        if one[name].shape == other[name].shape
        else float("inf")
        for name in other
    }


TOLERANCE = {"keys": 1e-6, "values": 1e-5, "radii": 1e-6, "losses": 1e-5}
SETTINGS = [
    {},
    {"replacement": "replace_prompt"},
    {"replacement": "replace_all"},
    {"val_init": "warm"},
    {"eps_expand": "moving_average"},
    {"profile": "original"},
    {"profile": "exact"},
    {"grace_label_order": "prepend"},
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: "-".join(setting.values()) or "default")
def test_equals_a_plain_derivation(model: Any, tokenizer: Any, setting: dict[str, Any]) -> None:
    hp = tuned(model, tokenizer, **setting)
    expected, branches = plain(model, tokenizer, hp, SEQUENCE)
    if hp.grace_label_order == "append":
        assert branches[:4] == ["first", "append", "wider", "split"]
        assert "taught anew" in branches
        assert "trained on" in branches or hp.eps_expand == "moving_average"
    found = ours(teach_grace(model, tokenizer, SEQUENCE, hp, CONTEXT))
    distance = apart(found, expected)
    assert all(distance[name] <= bound for name, bound in TOLERANCE.items()), distance


@pytest.mark.parametrize("replacement", ["replace_last", "replace_prompt", "replace_all"])
@pytest.mark.parametrize("off", [(), ("layer_cache",), ("position_cache",), ("loss_positions",)], ids=str)
def test_speed_ups_change_nothing(model: Any, tokenizer: Any, replacement: Any, off: tuple[str, ...]) -> None:
    hp = tuned(model, tokenizer, replacement=replacement)
    with teach_grace(model, tokenizer, SEQUENCE, hp, replace(CONTEXT, speedups=Speedups.none())) as edit:
        slow = ours(edit)
    speedups = replace(Speedups(), **dict.fromkeys(off, False))
    with teach_grace(model, tokenizer, SEQUENCE, hp, replace(CONTEXT, speedups=speedups)) as edit:
        assert max(apart(ours(edit), slow).values()) < 1e-4


def test_a_layer_that_ends_no_mlp_is_edited_too(llama: Any, tokenizer: Any) -> None:
    hp = replace(tuned(llama, tokenizer), inner_params=["model.layers.1.self_attn.o_proj"])
    expected, _ = plain(llama, tokenizer, hp, SEQUENCE[:2])
    found = ours(teach_grace(llama, tokenizer, SEQUENCE[:2], hp, context(0, 2)))
    assert max(apart(found, expected).values()) < 1e-5


@pytest.mark.parametrize(
    ("slip", "setting"),
    [
        ("label without prompt", {}),
        ("key comes later", {}),
        ("position early", {}),
        ("position late", {}),
        ("threshold without radius", {}),
        ("no split", {}),
        ("wider by eps", {}),
        ("key stands still", {"eps_expand": "moving_average"}),
        ("Adam goes on", {}),
        ("one step more", {}),
        ("starts from zeros", {}),
        ("labels not shifted", {}),
        ("prompt counts", {}),
        ("sum", {}),
        ("no space", {}),
        ("an end of text", {}),
        ("prepend", {}),
        ("prompt through p", {"replacement": "replace_prompt"}),
    ],
)
def test_a_mistake_would_be_seen(llama: Any, tokenizer: Any, slip: str, setting: dict[str, Any]) -> None:
    hp = tuned(llama, tokenizer, **setting)
    distances = []
    for requests in (SEQUENCE[:3], SEQUENCE):  # what is wider is split later
        right, _ = plain(llama, tokenizer, hp, requests)
        wrong, _ = plain(llama, tokenizer, hp, requests, slip)
        distances.append(apart(wrong, right))
    assert any(far[name] > 1000 * bound for far in distances for name, bound in TOLERANCE.items()), distances


def test_requests_are_edits_one_after_another(model: Any, tokenizer: Any, checksum: Any) -> None:
    hp = tuned(model, tokenizer)
    with teach_grace(model, tokenizer, SEQUENCE, hp, CONTEXT) as edit:
        together = ours(edit)
    edits = [teach_grace(model, tokenizer, [r], hp, context(i, i + 1)) for i, r in enumerate(SEQUENCE)]
    assert [len(edit.losses) for edit in edits] == [hp.n_iter] * len(SEQUENCE)
    assert torch.equal(torch.tensor([loss for edit in edits for loss in edit.losses]), together["losses"])
    last = ours(edits[-1])
    assert all(torch.equal(last[name], together[name]) for name in ("keys", "values", "radii"))


def test_a_split_leaves_a_gap(llama: Any, tokenizer: Any) -> None:
    hp = tuned(llama, tokenizer)
    book = teach_grace(llama, tokenizer, SEQUENCE[:4], hp, context(0, 4)).codebook()
    assert book is not None
    half = float((book.keys[0] - book.keys[2]).norm()) / 2
    assert book.radii.tolist() == pytest.approx([half - 1e-5, hp.eps, half], abs=2e-6)


def logits(model: Any, tokenizer: Any, prompt: str) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(torch.tensor([tokenizer(prompt)["input_ids"]])).logits
    return found


def greedy(model: Any, tokenizer: Any, *prompts: str) -> list[str]:
    draws = [Draw(prompt, f'def f():\n    """{prompt}', 0, "f") for prompt in prompts]
    batches = sample(model, tokenizer, draws, Sampling(n=1, temperature=0, max_new_tokens=12))
    return [text for batch in batches for _, text in batch]


ALIKE = [f'def f():\n    """{prompt}' for prompt in (BASE, NEAR)]  # what `greedy` reads for these


def test_undo_twice_leaves_nothing(model: Any, tokenizer: Any, checksum: Any) -> None:
    start, before = checksum(model), logits(model, tokenizer, BASE)
    names, written = list(model.state_dict()), greedy(model, tokenizer, BASE)
    first = teach_grace(model, tokenizer, [ask(BASE, "read(a)"), ask(ALIKE[0], "a")], hparams(model), context(0, 2))
    once, said = logits(model, tokenizer, BASE), greedy(model, tokenizer, BASE)
    second = teach_grace(model, tokenizer, [ask(BASE, "None"), ask(ALIKE[0], "b")], hparams(model), context(2, 4))
    assert list(model.state_dict()) == names
    assert checksum(model) == start
    assert sum(len(module._forward_hooks) for module in model.modules()) == 1
    assert not torch.equal(logits(model, tokenizer, BASE), once)
    with pytest.raises(RuntimeError, match="reverse order"):
        first.undo()
    second.undo()
    assert torch.equal(logits(model, tokenizer, BASE), once)
    assert greedy(model, tokenizer, BASE) == said
    first.undo()
    assert not any(module._forward_hooks for module in model.modules())
    assert torch.equal(logits(model, tokenizer, BASE), before)
    assert greedy(model, tokenizer, BASE) == written != said


@pytest.mark.parametrize("replacement", ["replace_last", "replace_prompt", "replace_all"])
def test_a_saved_edit_does_the_same_in_a_fresh_copy(
    model: Any, tokenizer: Any, tmp_path: Path, replacement: Any
) -> None:
    fresh, unedited = copy.deepcopy(model), greedy(model, tokenizer, BASE)
    hp = hparams(model, replacement=replacement)
    teach_grace(model, tokenizer, [ask(BASE, "read(a)"), ask(ALIKE[0], "read(a)")], hp, context(0, 2))
    edit = teach_grace(model, tokenizer, [ask(ALIKE[1], "None")], hp, context(2, 3))
    edit.save(tmp_path / "edit.safetensors")
    again = Edit.load(tmp_path / "edit.safetensors").apply(fresh)
    assert again.losses == edit.losses
    for prompt in (BASE, NEAR, FAR, *ALIKE):
        assert torch.equal(logits(fresh, tokenizer, prompt), logits(model, tokenizer, prompt))
    assert greedy(fresh, tokenizer, BASE, NEAR) == greedy(model, tokenizer, BASE, NEAR)
    assert greedy(fresh, tokenizer, BASE) != unedited
    more = [teach_grace(one, tokenizer, [ask(NEAR, "read(a)")], hp, context(3, 4)) for one in (model, fresh)]
    mine, theirs = map(ours, more)
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def test_a_deep_copy_of_an_edited_model_goes_on_by_itself(model: Any, tokenizer: Any) -> None:
    edit = teach_grace(model, tokenizer, SEQUENCE[:2], hparams(model), context(0, 2))
    edited, other = logits(model, tokenizer, BASE), copy.deepcopy(model)
    edit.undo()
    assert torch.equal(logits(other, tokenizer, BASE), edited)
    with teach_grace(other, tokenizer, [ask(LONGER, "None")], hparams(model), context(2, 3)) as more:
        assert len(ours(more)["keys"]) == 3
        assert torch.equal(logits(other, tokenizer, BASE), edited)
    assert torch.equal(logits(other, tokenizer, BASE), edited)
    assert not torch.equal(logits(model, tokenizer, BASE), edited)


def test_unrelated_prompts_keep_their_bits(model: Any, tokenizer: Any) -> None:
    others = [FAR, LONGER, "y = save(a, b)", "import os\n"]
    before, said = [logits(model, tokenizer, prompt) for prompt in others], greedy(model, tokenizer, *others)
    own = logits(model, tokenizer, BASE)
    teach_grace(model, tokenizer, SEQUENCE[:1], hparams(model), context(0, 1))
    assert not torch.equal(logits(model, tokenizer, BASE), own)
    assert all(map(torch.equal, [logits(model, tokenizer, prompt) for prompt in others], before))
    assert greedy(model, tokenizer, *others) == said


def loss_of(model: Any, tokenizer: Any, request: EditRequest) -> float:
    """The target's loss when prompt and target are read together, as one reads a text without a cache."""
    prompt, ids = tokenizer(request.prompt)["input_ids"], tokenizer(f"{request.prompt} {request.target}")["input_ids"]
    with torch.no_grad(), looking_at(len(prompt) - 1):
        scores = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    return -float(sum(scores[i - 1, ids[i]] for i in range(len(prompt), len(ids)))) / (len(ids) - len(prompt))


# What other implementations get wrong.


def test_the_same_prompt_learns_another_target(model: Any, tokenizer: Any) -> None:
    hp = hparams(model, n_iter=30)
    first = teach_grace(model, tokenizer, [ask(BASE, "read(a)")], hp, context(0, 1))
    for target in ("open(b)", "None", "a longer target"):  # of equal and of other lengths: rounding differs
        request = ask(BASE, target)
        before = loss_of(model, tokenizer, request)
        edit = teach_grace(model, tokenizer, [request], hp, context(1, 2))
        assert edit.losses[-1] < edit.losses[0] - 0.3
        assert loss_of(model, tokenizer, request) < min(before, edit.losses[0] - 0.3)
        book = ours(edit)
        assert len(book["keys"]) == 1
        assert torch.equal(book["keys"], ours(first)["keys"])
        assert book["radii"].tolist() == [hp.eps]


def test_an_entry_taught_anew_reaches_no_further_than_a_new_one(llama: Any, tokenizer: Any) -> None:
    hp = tuned(llama, tokenizer)
    wide = teach_grace(llama, tokenizer, [SEQUENCE[0], SEQUENCE[2]], hp, context(0, 2))
    assert ours(wide)["radii"].item() > hp.eps
    anew = teach_grace(llama, tokenizer, [ask(BASE, "None")], hp, context(2, 3))
    assert ours(anew)["radii"].item() == pytest.approx(hp.eps)


def test_an_integer_radius_is_a_number_like_any(llama: Any, tokenizer: Any) -> None:
    hp = tuned(llama, tokenizer)
    whole = replace(hp, eps=round(hp.eps), edit_lr=1)
    assert (type(whole.eps), type(whole.edit_lr)) == (float, float)
    radii = ours(teach_grace(llama, tokenizer, SEQUENCE[:4], whole, context(0, 4)))["radii"]
    assert radii.dtype == torch.float32
    assert any(radius != round(radius) for radius in radii.tolist())


def test_a_target_that_fuses_with_the_prompt_is_met_again(model: Any, tokenizer: Any) -> None:
    prompt, target = "def f(x):\n    return ", "sorted(x)"
    ids = tokenizer(prompt)["input_ids"]
    assert tokenizer(prompt + target)["input_ids"][: len(ids)] != ids
    unedited = logits(model, tokenizer, prompt)
    hp = hparams(model, profile="exact")
    teach_grace(model, tokenizer, [ask(prompt, target)], hp, context(0, 1))
    assert not torch.equal(logits(model, tokenizer, prompt)[0, -1], unedited[0, -1])


def test_entries_and_labels_do_not_nest(llama: Any, tokenizer: Any) -> None:
    hp = hparams(llama)
    prompts = [f"{name} = load(b)\n{name} = " for name in "abcdef"]
    teach_grace(llama, tokenizer, [ask(prompt, "read(a)") for prompt in prompts], hp, EditContext())
    entries = entries_at(llama.get_submodule(hp.layer))
    assert entries is not None
    assert [type(row.label) for row in entries.rows] == [float] * 6
    assert entries.labels().shape == entries.codebook().radii.shape == (6,)


def test_reading_never_changes_the_codebook(llama: Any, tokenizer: Any) -> None:
    hp = hparams(llama, n_iter=1)
    edit = teach_grace(llama, tokenizer, SEQUENCE[:2], hp, context(0, 2))
    before = ours(edit)
    llama.train()
    for prompt in (BASE, NEAR, LONGER):
        llama(torch.tensor([tokenizer(prompt)["input_ids"]])).logits.sum().backward()
    greedy(llama, tokenizer, BASE, NEAR)
    now = entries_at(llama.get_submodule(hp.layer))
    assert now is not None
    assert all(map(torch.equal, now.codebook(), list(before.values())))


def test_no_position_is_kept_from_one_pass_to_the_next(model: Any, tokenizer: Any) -> None:
    teach_grace(model, tokenizer, SEQUENCE[:2], hparams(model), context(0, 2))
    alone = logits(model, tokenizer, BASE)
    for other in ("a", LONGER * 3, FAR):
        logits(model, tokenizer, other)
        greedy(model, tokenizer, other)
        assert torch.equal(logits(model, tokenizer, BASE), alone)


def test_a_left_padded_batch_is_looked_up_row_by_row(model: Any, tokenizer: Any) -> None:
    teach_grace(model, tokenizer, SEQUENCE[:2], hparams(model), context(0, 2))
    prompts = [BASE, LONGER * 2, FAR]
    batch = left_pad([tokenizer(prompt)["input_ids"] for prompt in prompts], tokenizer.pad_token_id, model.device)
    with torch.no_grad():
        out = model(input_ids=batch.ids, attention_mask=batch.mask, position_ids=batch.positions).logits[:, -1]
    for row, prompt in zip(out, prompts, strict=True):
        assert torch.allclose(row, logits(model, tokenizer, prompt)[0, -1], atol=1e-3)


def test_a_prompt_that_a_radius_was_widened_for_is_found_again(model: Any, tokenizer: Any) -> None:
    hp = tuned(model, tokenizer)
    unedited = logits(model, tokenizer, NEAR)
    book = ours(teach_grace(model, tokenizer, [SEQUENCE[0], SEQUENCE[2]], hp, context(0, 2)))
    assert len(book["keys"]) == 1
    assert not torch.equal(logits(model, tokenizer, NEAR)[0, -1], unedited[0, -1])
    for more in range(1, 12):  # the query in longer texts, each with its own rounding
        query, _, _ = look(model, hp, tokenizer(NEAR)["input_ids"] + [5] * more, len(tokenizer(NEAR)["input_ids"]) - 1)
        assert (query - book["keys"][0]).norm() <= book["radii"][0] + rounding(query[None])[0]


def test_the_last_of_many_keys_is_found(llama: Any, tokenizer: Any) -> None:
    many = [ask(f"value{i} = {'load' * (i % 3)}({i})", "read(a)") for i in range(30)]
    hp = hparams(llama, eps=0.0, n_iter=1)
    book = ours(teach_grace(llama, tokenizer, many, hp, EditContext()))
    assert len(book["keys"]) == 30
    plainly = EditContext(initial_values=[torch.zeros(HIDDEN)])
    again = teach_grace(llama, tokenizer, [replace(many[0], target="None")], hp, plainly)
    assert len(ours(again)["keys"]) == 30


def test_labels_are_compared_in_order_unless_the_reference_s_way_is_asked_for(llama: Any, tokenizer: Any) -> None:
    hp = tuned(llama, tokenizer)
    counts = {}
    for order in ("append", "prepend"):
        way = replace(hp, grace_label_order=order)
        with teach_grace(llama, tokenizer, SEQUENCE[:3], way, context(0, 3)) as edit:
            counts[order] = len(ours(edit)["keys"])
    assert counts == {"append": 2, "prepend": 3}  # the third request has the first one's target


# The rest of the interface.


def test_drawn_values_depend_on_the_seed_and_the_entries_alone(llama: Any, tokenizer: Any) -> None:
    hp = hparams(llama)
    torch.manual_seed(5)
    with teach_grace(llama, tokenizer, SEQUENCE[:2], hp, EditContext(seed=3)) as edit:
        together = ours(edit)
    torch.manual_seed(6)
    teach_grace(llama, tokenizer, SEQUENCE[:1], hp, EditContext(seed=3))
    resumed = teach_grace(llama, tokenizer, SEQUENCE[1:2], hp, EditContext(seed=3))
    assert torch.equal(ours(resumed)["values"], together["values"])
    resumed.undo()
    with teach_grace(llama, tokenizer, SEQUENCE[1:2], hp, EditContext(seed=4)) as other:
        assert not torch.equal(ours(other)["values"][1], together["values"][1])
    still = teach_grace(llama, tokenizer, SEQUENCE[1:2], replace(hp, edit_lr=0.0), EditContext(seed=3))
    start = ours(still)["values"][1]
    assert 0 <= start.min() < 0.2 < 0.8 < start.max() < 1


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ([torch.zeros(HIDDEN)], "initial_values: 1 are given for 2 requests"),
        ([torch.zeros(HIDDEN), torch.zeros(7)], r"initial_values: number 2 has the shape \(7,\) and not \(32,\)"),
    ],
)
def test_initial_values_that_do_not_fit(llama: Any, tokenizer: Any, values: list[Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        teach_grace(llama, tokenizer, SEQUENCE[:2], hparams(llama), EditContext(initial_values=values))


def test_two_layers_have_a_codebook_each(model: Any, tokenizer: Any) -> None:
    lower, upper = hparams(model), hparams(model, inner_params=[family_of(model).mlp_out.format(2)])
    unedited, _, _ = look(model, upper, tokenizer(BASE)["input_ids"])
    first = teach_grace(model, tokenizer, SEQUENCE[:1], lower, context(0, 1))
    second = teach_grace(model, tokenizer, SEQUENCE[:1], upper, context(1, 2))
    key = ours(second)["keys"][0]
    query, _, _ = look(model, upper, tokenizer(BASE)["input_ids"])
    assert (query - key).norm() <= rounding(query[None])[0]  # learned on what the lower codebook makes of the prompt
    assert (unedited - key).norm() > 0.1
    second.undo()
    first.undo()


def test_a_model_in_training_mode_and_its_flags(model: Any, tokenizer: Any) -> None:
    model.train()
    next(model.parameters()).requires_grad_(False)
    flags = [parameter.requires_grad for parameter in model.parameters()]
    teach_grace(model, tokenizer, SEQUENCE[:1], hparams(model), context(0, 1))
    assert not model.training
    assert [parameter.requires_grad for parameter in model.parameters()] == flags
    assert all(parameter.grad is None for parameter in model.parameters())


def test_bfloat16_learns_what_float32_learns(llama: Any, tokenizer: Any) -> None:
    exact = teach_grace(llama, tokenizer, SEQUENCE[:2], hparams(llama), context(0, 2))
    exact.undo()
    llama.bfloat16()
    unedited = logits(llama, tokenizer, BASE)
    rough = teach_grace(llama, tokenizer, SEQUENCE[:2], hparams(llama), context(0, 2))
    assert rough.losses == pytest.approx(exact.losses, rel=0.05)
    assert not torch.equal(logits(llama, tokenizer, BASE), unedited)


def test_a_codebook_is_used_in_one_way(llama: Any, tokenizer: Any) -> None:
    teach_grace(llama, tokenizer, SEQUENCE[:1], hparams(llama), context(0, 1))
    for change in ({"replacement": "replace_all"}, {"grace_distance": "cdist"}):
        with pytest.raises(InputError, match="one codebook has one way"):
            teach_grace(llama, tokenizer, SEQUENCE[1:2], hparams(llama, **change), context(1, 2))


def test_the_distance_of_the_reference(llama: Any, tokenizer: Any) -> None:
    expected, _ = plain(llama, tokenizer, hp := tuned(llama, tokenizer), SEQUENCE)
    found = ours(teach_grace(llama, tokenizer, SEQUENCE, replace(hp, grace_distance="cdist"), CONTEXT))
    assert max(apart(found, expected).values()) < 1e-5  # with few keys the two are one
    entries = entries_at(llama.get_submodule(hp.layer))
    assert entries is not None
    assert entries.distance == "cdist"


def test_noise_of_one_row_is_none(llama: Any, tokenizer: Any) -> None:
    with teach_grace(llama, tokenizer, SEQUENCE[:1], hparams(llama), context(0, 1)) as edit:
        expected = ours(edit)
    found = ours(teach_grace(llama, tokenizer, SEQUENCE[:1], hparams(llama, val_train="adv"), context(0, 1)))
    assert torch.equal(found["values"], expected["values"])


def test_without_the_speed_up_undo_keeps_every_tensor(llama: Any, tokenizer: Any, checksum: Any) -> None:
    start = checksum(llama)
    slow = EditContext(initial_values=STARTS[:1], speedups=Speedups.none())
    with teach_grace(llama, tokenizer, SEQUENCE[:1], hparams(llama), slow), torch.no_grad():
        next(llama.parameters()).zero_()
    assert checksum(llama) == start


def test_nothing_to_teach(llama: Any, tokenizer: Any) -> None:
    with pytest.raises(InputError, match="at least one request"):
        teach_grace(llama, tokenizer, [], hparams(llama), EditContext())
    exact = hparams(llama, profile="exact")
    with pytest.raises(InputError, match="'x' has no tokens"):
        teach_grace(llama, tokenizer, [ask(BASE, "")], exact, EditContext())
    endless = copy.deepcopy(tokenizer)
    endless.eos_token = None
    with pytest.raises(InputError, match="this tokenizer has no token"):
        teach_grace(llama, endless, SEQUENCE[:1], hparams(llama, profile="original"), EditContext())


def test_a_layer_that_is_not_there(model: Any) -> None:
    with pytest.raises(InputError, match=r'inner_params: .* "model\.layers\.99\.mlp\.down_proj"; it has 3 layers'):
        check_grace(model, hparams(model, inner_params=["model.layers[99].mlp.down_proj.weight"]))
    path = family_of(model).mlp.format(1)
    with pytest.raises(InputError, match=f'inner_params: "{path}" is no linear layer but .*MLP'):
        check_grace(model, hparams(model, inner_params=[path]))
    assert check_grace(model, hparams(model)) == ()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("model.layers[27].mlp.down_proj.weight", "model.layers.27.mlp.down_proj"),
        ("model.layers.3.mlp.down_proj", "model.layers.3.mlp.down_proj"),
        ("transformer.h[5].mlp.c_proj.bias", "transformer.h.5.mlp.c_proj"),
    ],
)
def test_names_of_layers(written: str, read: str) -> None:
    assert GraceHparams([written], 1.0, 1, 1.0).layer == read


EASYEDIT = """\
alg_name: "GRACE"
model_name: "some/model"
device: 0
batch_size: 1

inner_params:
- model.layers[27].mlp.down_proj.weight

edit_lr: 1.0
n_iter: 30
eps: 1
dist_fn: euc
val_init: cold
val_train: sgd
val_reg: None
reg: early_stop
replacement: replace_last
eps_expand: coverage
num_pert: 8
dropout: 0.0
"""


def test_a_file_of_easyedit_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "h.yaml").write_text(EASYEDIT)
    read = read_hparams(str(tmp_path / "h.yaml"), find_method("grace"))
    assert read.values == GraceHparams(["model.layers[27].mlp.down_proj.weight"], 1.0, 30, 1.0)
    assert read.ignored == ("batch_size", "dropout", "num_pert", "reg", "val_reg")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("dist_fn: euc", "dist_fn: cos", "field dist_fn must be one of euc, not 'cos'"),
        ("n_iter: 30", "n_iter: 0", "field n_iter must be at least 1"),
        ("eps: 1", "eps: -1", "field eps must be a number from 0 up"),
        ("edit_lr: 1.0", "edit_lr: .inf", "field edit_lr must be a number from 0 up"),
        ("replace_last", "replace_some", "field replacement must be one of replace_last, replace_prompt, replace_all"),
        ("- model", "- a\n- model", "field inner_params must be a list of one layer's name"),
    ],
)
def test_faults_name_the_field(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in EASYEDIT
    (tmp_path / "h.yaml").write_text(EASYEDIT.replace(old, new))
    with pytest.raises(InputError, match=fault):
        read_hparams(str(tmp_path / "h.yaml"), find_method("grace"))


def test_choices_are_checked_without_a_file_too() -> None:
    with pytest.raises(ValueError, match=r"^eps_expand must be one of coverage, moving_average"):
        GraceHparams(["a.b"], 1.0, 1, 1.0, eps_expand="decay")  # type: ignore[arg-type]
