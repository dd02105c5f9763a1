"""delta: what is to be added to an activation of the subject, so that the model predicts the target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from edittool.editing import EditRequest

from .forward import Seen, forward
from .given import Given
from .rows import Row, kl_row, row_of


@dataclass(frozen=True)
class Value:
    """For each place (module path) delta and h0, shape (d,); and the loss of each step."""

    deltas: dict[str, Tensor]
    starts: dict[str, Tensor]
    losses: list[float]

    def wanted(self, place: str) -> Tensor:
        """z = h0 + delta."""
        return self.starts[place] + self.deltas[place]


def places_of(given: Given) -> list[str]:
    """Where delta is added at Z: the MLP's output (ROME), the layer's (MEMIT), attention's and the MLP's (PMET)."""
    fields = {"rome": ["mlp_module_tmp"], "pmet": ["attn_module_tmp", "mlp_module_tmp"]}
    return [given.path(field) for field in fields.get(given.method, ["layer_module_tmp"])]


@dataclass(frozen=True)
class Terms:
    """The terms of L, weighted but for phi; and whether every row predicts every target token."""

    nll: Tensor
    kl: Tensor
    decay: Tensor
    learned: bool


def optimise(given: Given, request: EditRequest) -> Value:
    """Minimise L over delta, which begins at zero."""
    places = places_of(given)
    rows = [row_of(given, template, request) for template in given.templates]
    starts = {place: h0_of(given, rows, place) for place in places}
    p0 = log_p_for_kl(given, request, None)
    deltas = {place: torch.zeros(given.model.config.hidden_size, requires_grad=True) for place in places}
    optimizer = adam(given, list(deltas.values()))
    phi, losses = given["nll_loss_factor"] if given.method == "pmet" else 1.0, []
    for step in range(given["v_num_grad_steps"]):
        terms = terms_of(given, request, rows, p0, deltas, starts)
        loss = phi * terms.nll + terms.kl + terms.decay
        losses.append(loss.item())
        if ends(given, step, losses[-1], terms):
            break
        phi = phi_after(given, terms.learned, phi)
        optimizer.zero_grad()
        loss.backward(inputs=list(deltas.values()))
        optimizer.step()
        clamp(given, deltas, starts)
    return Value({place: delta.detach() for place, delta in deltas.items()}, starts, losses)


def terms_of(
    given: Given,
    request: EditRequest,
    rows: Sequence[Row],
    p0: Tensor,
    deltas: Mapping[str, Tensor],
    starts: Mapping[str, Tensor],
) -> Terms:
    """L = mean of the rows' NLL + kl_factor * KL + v_weight_decay * ||delta|| / ||h0||^2."""
    scores = [scores_of(given, row, deltas) for row in rows]
    nll = torch.stack([nll_of(given, row, score) for row, score in zip(rows, scores, strict=True)]).mean()
    kl = given["kl_factor"] * kl_of(given, p0, log_p_for_kl(given, request, deltas))
    learned = all(is_learned(row, score) for row, score in zip(rows, scores, strict=True))
    return Terms(nll, kl, decay_of(given, deltas, starts), learned)


def ends(given: Given, step: int, loss: float, terms: Terms) -> bool:
    """Below 0.05; PMET: everything learned and the weighted KL at most 0.01; and at the last step, with no update."""
    if loss < 0.05 and not given.wrong("no early stop"):
        return True
    calm = given.method == "pmet" and terms.learned and terms.kl.item() <= 0.01
    if calm and not given.wrong("no stop by the KL term"):
        return True
    return step == given["v_num_grad_steps"] - 1 and not given.wrong("one update too many")


def adam(given: Given, deltas: list[Tensor]) -> torch.optim.Optimizer:
    """Adam, betas 0.9 and 0.999, eps 1e-8."""
    if given.wrong("Adam without bias correction"):
        return _Uncorrected(deltas, {"lr": given["v_lr"]})
    if given.wrong("gradient descent for Adam"):
        return torch.optim.SGD(deltas, lr=given["v_lr"])
    return torch.optim.Adam(deltas, lr=given["v_lr"], betas=(0.9, 0.999), eps=1e-8)


def h0_of(given: Given, rows: Sequence[Row], place: str) -> Tensor:
    """h0: the clean activation at the lookup in row 0, the bare prompt."""
    row = rows[0]
    if given.wrong("h0 read from a padded row"):
        missing = max(len(other.ids) for other in rows) - len(row.ids)
        row = Row([given.tokenizer.pad_token_id] * missing + row.ids, row.lookup, row.labels, padding=missing)
    if given.wrong("h0 read from the last row"):
        row = rows[-1]
    with torch.no_grad():
        return forward(given, row, [place]).outputs[place][row.lookup]


def labels_of(given: Given, row: Row) -> list[int]:
    """What is predicted at the row's end: the target."""
    return row.ids[1:] + row.labels[-1:] if given.wrong("the prompt among the labels") else row.labels


def scores_of(given: Given, row: Row, deltas: Mapping[str, Tensor]) -> Tensor:
    """Log-probabilities (T, vocabulary) at the positions that predict the target: the last T of the row."""
    seen = forward(given, row, loss_layer(given), deltas)
    scores, count = logits_for_nll(given, seen).log_softmax(-1), len(labels_of(given, row))
    return scores[-count - 1 : -1] if given.wrong("labels one too late") else scores[-count:]


def loss_layer(given: Given) -> list[str]:
    """The layer whose output the loss is read from (MEMIT, PMET): max(v_loss_layer, Z)."""
    if given.method == "rome":
        return []
    lowest = 0 if given.wrong("the loss read below delta") else given.layers[-1]
    return [given.path("layer_module_tmp", max(given["v_loss_layer"], lowest))]


def logits_for_nll(given: Given, seen: Seen) -> Tensor:
    """The model's logits (ROME), or final norm and head applied to the loss layer's output (MEMIT, PMET)."""
    if given.method == "rome" or given.wrong("the loss read at the top"):
        return seen.logits
    hidden = seen.outputs[loss_layer(given)[0]]
    normed = hidden if given.wrong("no final norm") else given.model.get_submodule(given.family.norm)(hidden)
    logits: Tensor = given.model.get_output_embeddings()(normed)
    return logits


def nll_of(given: Given, row: Row, scores: Tensor) -> Tensor:
    """-(1/T) sum of log p(t_j)."""
    labels = torch.tensor(labels_of(given, row))
    if given.wrong("the last target token left out") and len(labels) > 1:
        scores, labels = scores[:-1], labels[:-1]
    summed = -scores.gather(1, labels[:, None]).sum()
    return summed if given.wrong("sum over the target, no mean") else summed / len(labels)


def log_p_for_kl(given: Given, request: EditRequest, deltas: Mapping[str, Tensor] | None) -> Tensor:
    """Log-probabilities of the next token at the KL row's lookup; without deltas, p_0."""
    row = kl_row(given, request)
    if given.wrong("KL row without delta"):
        deltas = None
    with torch.set_grad_enabled(deltas is not None):
        logits = forward(given, row, [], deltas).logits
    return logits[-1 if given.wrong("KL at the last position") else row.lookup].log_softmax(-1)


def kl_of(given: Given, p0: Tensor, p: Tensor) -> Tensor:
    """KL(p_delta || p_0), of one row."""
    if given.wrong("no KL term"):
        return torch.zeros(())
    if given.wrong("KL the other way round"):
        p0, p = p, p0
    return (p.exp() * (p - p0)).sum()


def decay_of(given: Given, deltas: Mapping[str, Tensor], starts: Mapping[str, Tensor]) -> Tensor:
    """v_weight_decay * ||delta|| / ||h0||^2, summed over the places."""
    if given.wrong("no weight decay"):
        return torch.zeros(())
    power = 1 if given.wrong("weight decay without the square") else 2
    kept = list(deltas)[-1:] if given.wrong("weight decay of the MLP alone") else list(deltas)
    # torch's norm has the gradient 0 at 0.
    ratios = [deltas[place].norm() / starts[place].norm() ** power for place in kept]
    return given["v_weight_decay"] * sum(ratios, torch.zeros(()))


def is_learned(row: Row, scores: Tensor) -> bool:
    """Whether every target token is the likeliest one."""
    return scores.argmax(-1).tolist() == row.labels


def phi_after(given: Given, learned: bool, phi: float) -> float:
    """phi for the next step (PMET), decided anew each time."""
    if given.method != "pmet":
        return 1.0
    factor: float = given["nll_loss_factor"]
    if given.wrong("phi never raised again") and phi < factor:
        return phi
    return 0.1 * factor if learned and not given.wrong("phi never lowered") else factor


@torch.no_grad()
def clamp(given: Given, deltas: Mapping[str, Tensor], starts: Mapping[str, Tensor]) -> None:
    """||delta|| <= clamp_norm_factor * ||h0||, each place by its own h0."""
    for place, delta in deltas.items():
        start = starts[list(starts)[-1]] if given.wrong("all clamped by the MLP's h0") else starts[place]
        bound = given["clamp_norm_factor"] * start.norm()
        if delta.norm() > bound and not given.wrong("no clamp"):
            delta.mul_(bound / delta.norm())


class _Uncorrected(torch.optim.Optimizer):
    """Adam as it would be without its bias correction."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                first, second = state.setdefault("moments", (torch.zeros_like(parameter), torch.zeros_like(parameter)))
                first.lerp_(parameter.grad, 0.1)
                second.lerp_(parameter.grad**2, 0.001)
                parameter.sub_(group["lr"] * first / (second.sqrt() + 1e-8))
