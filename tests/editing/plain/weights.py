"""From delta to weights: keys, and the updates of each method."""

import contextlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from edittool.editing import EditRequest

from .forward import forward
from .given import Given
from .rows import bare_row
from .values import Value


@torch.no_grad()
def at_lookup(given: Given, request: EditRequest, path: str, template: str = "{}") -> tuple[Tensor, Tensor]:
    """Input and output of a module at the subject of one template around the prompt."""
    row = bare_row(given, request, template)
    seen = forward(given, row, [path])
    return seen.inputs[path][row.lookup], seen.outputs[path][row.lookup]


def shaped(given: Given, update: Tensor) -> Tensor:
    """The update (d, f) as the family stores the weight."""
    return update.T if given.family.transposed and not given.wrong("update not transposed") else update


# ROME


def rome_update(given: Given, request: EditRequest, value: Value) -> Tensor:
    """Delta W = (v* - o) u^T / (k . u), where k and o are those of the bare prompt (R-ROME: means over templates)."""
    path, place = given.path("rewrite_module_tmp"), given.path("mlp_module_tmp")
    k0, o0 = at_lookup(given, request, path)
    read = [at_lookup(given, request, path, template) for template in given.templates]
    mean_key, mean_output = (torch.stack(side).mean(0) for side in zip(*read, strict=True))
    if given.wrong("mean of group means"):
        mean_key = mean_of_groups(given, [key for key, _ in read])
    if given.wrong("keys without the bare prompt"):
        mean_key = torch.stack([key for key, _ in read[1:]]).mean(0)
    if given.wrong("key of the bare prompt alone"):
        mean_key = k0
    variant = given["rome_variant"]
    u = direction(given, k0 if variant == "p_rome" else mean_key)
    if variant == "r_rome":
        output = o0 if given.wrong("R-ROME with the bare prompt's output") else mean_output
        return torch.outer(value.wanted(place) - output, u) / (mean_key @ u)
    wanted = value.wanted(place) if variant == "original" else o0 + value.deltas[place]
    return torch.outer(wanted - o0, u) / ((mean_key if given.wrong("divided by the mean key") else k0) @ u)


def direction(given: Given, key: Tensor) -> Tensor:
    """u: the key, or C^-1 times the key, at length 1."""
    if given["mom2_adjustment"] and not given.wrong("covariance not inverted"):
        key = torch.linalg.inv(given.covariance[given.path("rewrite_module_tmp")].to(key.dtype)) @ key
    return key / key.norm()


# MEMIT, PMET, EMMET and AlphaEdit


def spread(given: Given, values: Sequence[Value], written: dict[str, Tensor]) -> dict[str, Tensor]:
    """Go up the layers, and through the modules of each; each reads a model that is edited below.

    `written` is given the keys of each module.
    """
    updates: dict[str, Tensor] = {}
    before = _Unedited(given)
    with restored(given):
        for i, layer in enumerate(given.layers):
            for field, place in rewritten(given):
                path = field.format(layer)
                keys = before.keys(path) if given.wrong("keys not measured again") else keys_of(given, path)
                written[path] = keys
                reads = before.outputs(place) if given.wrong("residual not measured again") else outputs(given, place)
                residual = wanted_of(values, place) - reads
                update = solved(given, path, keys, residual.double() / share(given, i))
                updates[f"{path}.weight"] = shaped(given, update)
                write(given, f"{path}.weight", updates[f"{path}.weight"])
    return {name: update.float() for name, update in updates.items()}


def rewritten(given: Given) -> list[tuple[str, str]]:
    """The modules to write at each layer, and where at Z each one's target stands; attention comes first."""
    if given.method != "pmet":
        return [(given["rewrite_module_tmp"], given.path("layer_module_tmp"))]
    places = [given["attn_module_tmp"], given["mlp_module_tmp"]]
    return [
        (field, given.path(name))
        for field, name in zip(places, ("attn_module_tmp", "mlp_module_tmp"), strict=True)
        if field in given["rewrite_module_tmps"]
    ]


def keys_of(given: Given, path: str) -> Tensor:
    """K (f, m): for each request the mean of the group means of its keys."""
    columns = []
    for request in given.requests:
        keys = [at_lookup(given, request, path, template)[0] for template in given.templates]
        columns.append(mean_of_groups(given, keys))
    return torch.stack(columns, 1).double()


def mean_of_groups(given: Given, keys: Sequence[Tensor]) -> Tensor:
    """Half the bare prompt's key, half the mean of the others'."""
    if len(keys) == 1 or given.wrong("key of the bare prompt alone"):
        return keys[0]
    if given.wrong("flat mean of the keys"):
        return torch.stack(list(keys)).mean(0)
    others = torch.stack(list(keys[1:])).mean(0)
    return others if given.wrong("keys without the bare prompt") else (keys[0] + others) / 2


def outputs(given: Given, place: str) -> Tensor:
    """The current output of a module at the bare prompts' lookups, (d, m)."""
    return torch.stack([at_lookup(given, request, place)[1] for request in given.requests], 1)


def wanted_of(values: Sequence[Value], place: str) -> Tensor:
    """z of each request, (d, m)."""
    return torch.stack([value.wanted(place) for value in values], 1)


def share(given: Given, i: int) -> float:
    """How many parts the residual is divided into at the i-th layer: n - i, for PMET its square root."""
    left: int = len(given.layers) - i
    linear = given.method != "pmet"
    if given.wrong("residual not divided"):
        return 1
    if given.wrong("residual divided linearly") or given.wrong("residual divided by the square root"):
        linear = given.wrong("residual divided linearly")
    return left if linear else left**0.5


def solved(given: Given, path: str, keys: Tensor, residual: Tensor) -> Tensor:
    """R ((lambda C + K K^T)^-1 K)^T in float64; PMET writes it R K^T (K K^T + lambda C)^-1; two have their own."""
    if given.method == "emmet":
        return constrained(given, path, keys, residual)
    if given.method == "alphaedit":
        return projected(given, path, keys, residual)
    weight = 1 if given.wrong("covariance not weighted") else given["mom2_update_weight"]
    covariance = weight * covariance_of(given, path).double()
    if given.method == "pmet":
        return residual @ keys.T @ torch.linalg.inv(keys @ keys.T + covariance)
    return residual @ torch.linalg.solve(covariance + keys @ keys.T, keys).T


def constrained(given: Given, path: str, keys: Tensor, residual: Tensor) -> Tensor:
    """R (K^T C^-1 K + lambda I)^-1 K^T C^-1, C weighted and with its ridge (EMMET, equation 12)."""
    weight = 1 if given.wrong("covariance not weighted") else given["mom2_update_weight"]
    ridge = 0 if given.wrong("no ridge") else given["update_norm_lambda"]
    inverse = torch.linalg.inv(weight * covariance_of(given, path).double() + ridge * torch.eye(len(keys)))
    inner = keys.T @ inverse @ keys
    if not given.wrong("no lambda in the constraint"):
        inner = inner + given["emmet_lambda"] * torch.eye(len(inner))
    return residual @ torch.linalg.inv(inner) @ keys.T @ inverse


def projected(given: Given, path: str, keys: Tensor, residual: Tensor) -> Tensor:
    """R K^T P (K_p K_p^T P + K K^T P + L2 I)^-1, P onto the singular vectors of C with small values (AlphaEdit,
    equation 14)."""
    vectors, values, _ = torch.linalg.svd(covariance_of(given, path).double())
    threshold = given["nullspace_threshold"]
    free = values >= threshold if given.wrong("the other side of the threshold") else values < threshold
    projection = vectors[:, free] @ vectors[:, free].T
    if given.wrong("not projected"):
        projection = torch.eye(len(keys), dtype=torch.float64)
    known = keys @ keys.T
    if path in given.earlier and not given.wrong("earlier keys forgotten"):
        known = known + given.earlier[path] @ given.earlier[path].T
    ridge = 1 if given.wrong("L2 taken for 1") else given["L2"]
    return residual @ keys.T @ projection @ torch.linalg.inv(known @ projection + ridge * torch.eye(len(keys)))


def covariance_of(given: Given, path: str) -> Tensor:
    """C of the module."""
    same_shape = [other for other in given.covariance if other.split(".")[-2:] == path.split(".")[-2:]]
    other = same_shape[(same_shape.index(path) + 1) % len(same_shape)]
    return given.covariance[other if given.wrong("covariance of another layer") else path]


@torch.no_grad()
def write(given: Given, name: str, update: Tensor) -> None:
    """W <- W + Delta W, summed in float64 and cast once."""
    weight = given.model.get_parameter(name)
    weight.copy_(weight.double() + update)


@contextlib.contextmanager
def restored(given: Given) -> Iterator[None]:
    before = {name: parameter.detach().clone() for name, parameter in given.model.named_parameters()}
    try:
        yield
    finally:
        with torch.no_grad():
            for name, parameter in given.model.named_parameters():
                parameter.copy_(before[name])


class _Unedited:
    """Keys and outputs as they are before any layer is edited: for the mistakes of not measuring again."""

    def __init__(self, given: Given):
        self._keys: dict[str, Tensor] = {}
        self._outputs: dict[str, Tensor] = {}
        for field, place in rewritten(given):
            if given.wrong("keys not measured again"):
                self._keys |= {path: keys_of(given, path) for path in map(field.format, given.layers)}
            if given.wrong("residual not measured again"):
                self._outputs[place] = outputs(given, place)

    def keys(self, path: str) -> Tensor:
        return self._keys[path]

    def outputs(self, place: str) -> Tensor:
        return self._outputs[place]
