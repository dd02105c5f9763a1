from dataclasses import replace
from typing import Any

import pytest
import torch

from edittool.editing.context import EditContext
from edittool.editing.edits.edit import Edit
from edittool.editing.methods.ft import FtHparams
from edittool.editing.methods.ft import fine_tune as teach_ft
from edittool.editing.model.families import family_of
from edittool.editing.requests import EditRequest
from edittool.editing.success.measure import measure
from edittool.schemas.errors import InputError

REQUESTS = [
    EditRequest("def first(x):\n", "first", "    return new(x)\n"),
    EditRequest('def second(values):\n    """Say more."""\n', "second", "    return new(values)[0] + 1\n"),
    EditRequest("def third(a, b):\n", "third", "    return a\n"),
]
EASY = REQUESTS[:1]


def fine_tune(model: Any, tokenizer: Any, requests: list[EditRequest], hp: FtHparams, **options: Any) -> Edit:
    return teach_ft(model, tokenizer, requests, hp, EditContext(**options))


def hparams(model: Any, **changes: Any) -> FtHparams:
    made = FtHparams([1], family_of(model).mlp_out, num_steps=4, lr=5e-3, weight_decay=0.1, batch_size=2)
    return replace(made, **{"profile": "exact", **changes})


def able(model: Any) -> Any:
    """Let the model be sure of a token: the bounded states of a small random one leave its loss far above 0.01."""
    model.get_submodule(family_of(model).norm).weight.data *= 5
    return model


def reference(
    model: Any, tokenizer: Any, hp: FtHparams, requests: list[EditRequest] = REQUESTS
) -> tuple[dict[str, torch.Tensor], list[float]]:
    """FT-L written plainly: one row at a time without any padding, loss by hand, and torch's own Adam on the model."""
    wanted = hp.rewrite_module_tmp.format(hp.layers[0])
    weights = {n: p for n, p in model.named_parameters() if wanted in n}
    old = {n: p.detach().clone() for n, p in weights.items()}
    adam = torch.optim.Adam(weights.values(), lr=hp.lr, weight_decay=hp.weight_decay)
    epochs = []
    for _ in range(hp.num_steps):
        seen = []
        for start in range(0, len(requests), hp.batch_size):
            rows = []
            for request in requests[start : start + hp.batch_size]:
                target = request.target if hp.profile == "exact" else " " + request.target
                before = tokenizer(request.prompt)["input_ids"]
                if hp.objective_optimization == "target_new":
                    ids = tokenizer(request.prompt + target)["input_ids"]
                    scores = model(torch.tensor([ids])).logits[0].log_softmax(-1)
                    terms = [scores[i - 1, ids[i]] for i in range(len(before), len(ids))]
                else:
                    scores = model(torch.tensor([before])).logits[0].log_softmax(-1)
                    terms = [scores[-1, token] for token in tokenizer(target)["input_ids"]]
                rows.append(-sum(terms) / len(terms))
            loss = sum(rows) / len(rows)
            seen += [loss.item()] * len(rows)
            if loss.item() >= 0.01:
                adam.zero_grad()
                loss.backward()
                adam.step()
            if type(hp.norm_constraint) is float:
                for name, weight in weights.items():
                    low, high = old[name] - hp.norm_constraint, old[name] + hp.norm_constraint
                    weight.data = torch.minimum(torch.maximum(weight.data, low), high)
        epochs.append(sum(seen) / len(seen))
        if epochs[-1] < 0.01:
            break
    deltas = {name: (weight - old[name]).detach() for name, weight in weights.items()}
    for name, weight in weights.items():
        weight.data = old[name]
        weight.grad = None
    return deltas, epochs


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"norm_constraint": 6e-3},
        {"profile": "easyedit"},
        {"objective_optimization": "prompt_last", "weight_decay": 0.0},
    ],
    ids=["plain", "clamped", "space", "prompt_last"],
)
def test_equals_a_plain_reference(model: Any, tokenizer: Any, setting: dict[str, Any]) -> None:
    hp = hparams(model, **setting)
    expected, losses = reference(model, tokenizer, hp)
    edit = fine_tune(model, tokenizer, REQUESTS, hp)
    assert edit.deltas().keys() == expected.keys()
    assert edit.losses == pytest.approx(losses, rel=1e-4)
    for name, delta in expected.items():
        assert delta.norm() > 0
        assert (edit.deltas()[name] - delta).norm() <= 1e-3 * delta.norm()


def test_stops_where_the_reference_stops(model: Any, tokenizer: Any) -> None:
    hp = hparams(able(model), num_steps=200, lr=3e-2, weight_decay=0.0)
    _, losses = reference(model, tokenizer, hp, EASY)
    edit = fine_tune(model, tokenizer, EASY, hp)
    assert len(edit.losses) == len(losses) < 200
    assert edit.losses[-1] < 0.01


def test_without_its_clamp_it_stops_early_and_within_it_never(llama: Any, tokenizer: Any) -> None:
    """The pair of presets `ft-` and `ft-free-` in small: the clamp alone decides whether the target is learned."""
    free = hparams(able(llama), num_steps=60, lr=5e-2, weight_decay=0.0, norm_constraint=False)
    found = {}
    for name, given in (("free", free), ("boxed", replace(free, norm_constraint=1e-4))):
        with fine_tune(llama, tokenizer, EASY, given) as made:
            found[name] = made.losses
    assert len(found["free"]) < 60
    assert found["free"][-1] < 0.01 <= min(found["free"][:-1])
    assert len(found["boxed"]) == 60
    assert found["boxed"][-1] > 0.5 * found["boxed"][0]


def test_a_float_bounds_every_entry_and_is_reached(llama: Any, tokenizer: Any) -> None:
    free = fine_tune(llama, tokenizer, REQUESTS, hparams(llama)).deltas()
    assert all(delta.abs().max() > 6e-3 for delta in free.values())
    bound = fine_tune(llama, tokenizer, REQUESTS, hparams(llama, norm_constraint=2e-3)).deltas()
    for delta in bound.values():
        assert delta.abs().max() <= 2e-3 + 1e-7
        assert (delta.abs() > 1.99e-3).float().mean() > 0.1


@pytest.mark.parametrize("off", [0, 1, False])
def test_an_integer_or_false_bounds_nothing(llama: Any, tokenizer: Any, off: Any) -> None:
    free = fine_tune(llama, tokenizer, REQUESTS, hparams(llama, norm_constraint=off))
    assert max(delta.abs().max() for delta in free.deltas().values()) > 6e-3


def test_a_batch_has_the_mean_loss_of_its_rows(model: Any, tokenizer: Any) -> None:
    singles = []
    for request in REQUESTS:
        with fine_tune(model, tokenizer, [request], hparams(model, num_steps=1)) as edit:
            singles.append(edit.losses[0])
    with fine_tune(model, tokenizer, REQUESTS, hparams(model, num_steps=1, batch_size=3)) as edit:
        assert edit.losses[0] == pytest.approx(sum(singles) / 3, rel=1e-5)


def test_only_the_named_tensors_move_and_flags_come_back(model: Any, tokenizer: Any) -> None:
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    next(model.parameters()).requires_grad_(False)
    flags = [parameter.requires_grad for parameter in model.parameters()]
    model.train()
    edit = fine_tune(model, tokenizer, REQUESTS, hparams(model))
    assert [parameter.requires_grad for parameter in model.parameters()] == flags
    assert not model.training
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name]) == (name not in edit.deltas())
        assert parameter.grad is None


def test_a_known_answer_is_left_alone(llama: Any, tokenizer: Any) -> None:
    hp = hparams(able(llama), num_steps=200, lr=3e-2, weight_decay=0.0)
    first = fine_tune(llama, tokenizer, EASY, hp)
    assert first.losses[-1] < 0.01
    again = fine_tune(llama, tokenizer, EASY, hp)
    assert len(again.losses) == 1
    assert all(not delta.any() for delta in again.deltas().values())


def test_bfloat16_learns_what_float32_learns(llama: Any, tokenizer: Any) -> None:
    exact = fine_tune(llama, tokenizer, REQUESTS, hparams(llama))
    exact.undo()
    rough = fine_tune(llama.bfloat16(), tokenizer, REQUESTS, hparams(llama))
    assert rough.losses == pytest.approx(exact.losses, rel=0.05)


def test_no_such_layer(llama: Any, tokenizer: Any) -> None:
    with pytest.raises(InputError, match=r"layers\.9\.mlp.*rewrite_module_tmp"):
        fine_tune(llama, tokenizer, REQUESTS, hparams(llama, layers=[9]))


def test_nothing_to_teach(llama: Any, tokenizer: Any) -> None:
    with pytest.raises(InputError, match="at least one request"):
        fine_tune(llama, tokenizer, [], hparams(llama))
    with pytest.raises(InputError, match="'f' has no tokens"):
        fine_tune(llama, tokenizer, [EditRequest("def f():\n", "f", "")], hparams(llama))


@pytest.mark.parametrize(
    "request_", [*REQUESTS, EditRequest("x = sor", "x", "ted(y)\n", 0)], ids=lambda one: one.target
)
def test_exact_teaches_the_tokens_that_are_measured(llama: Any, tokenizer: Any, request_: EditRequest) -> None:
    """Where the target fuses with the prompt's end too: a sampler has read the prompt alone, and can write no other."""
    before = measure(llama, tokenizer, [request_])
    edit = fine_tune(llama, tokenizer, [request_], hparams(llama, num_steps=1))
    assert edit.losses == [pytest.approx(before.nll, rel=1e-5)]
    edit.undo()
