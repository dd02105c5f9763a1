"""Numeric checks of a model's parts: whether they add up to what the model computes, by one short text.

A family's table says where the parts of a layer are, not what the layer does with them: a factor or a norm between two
parts would go unnoticed, and every edit would be computed for another model. So before the first edit a model is held
to what the methods take for granted, with

    x, m, y     what enters a layer, what goes into its MLP's norm, and what leaves the layer
    a, o        the outputs of the attention's and the MLP's last linear layers

    m = x + a       y = m + o       o = mlp(norm(m))        in every layer
    head(norm(layers(x))) = the model's own logits
    the same with the beginning read into a cache, as the speed-ups read it
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor

from ...schemas.errors import InputError
from .families import Family, family_of
from .forward import LayerParts, Layers, Row, captured, read
from .unfit import BESIDE, FOLLOWED, HEAD, SCALED

LENGTHS = (12, 7)  # of the texts, in tokens: two, so that one is padded
STARTS = (5, 3)  # where the part begins that is read with a cache
_faults: WeakKeyDictionary[nn.Module, str] = WeakKeyDictionary()  # of models that were checked; "" for none


def fitting_family(model: Any) -> Family:
    """Return the family of `model`, whose parts are those of the table and add up to what the model computes.

    Of an outline, whose tensors have no content, the modules alone are looked at. A model is passed through once, at
    the first call. Raises InputError for a model of no known type, and for one of which a part does not fit; it is
    named.
    """
    family = family_of(model)
    fault = _missing_module(model, family)
    if not fault and not _is_outline(model):
        if model not in _faults:
            _faults[model] = find_fault(model)
        fault = _faults[model]
    if fault:
        raise InputError(
            f"This model of type {family.model_type!r} cannot be edited in parts: {fault}. The methods `ft` and "
            "`ultraedit` take it, and `none` samples it unedited; for the other methods, use another model."
        )
    return family


def _is_outline(model: Any) -> bool:
    first = next(model.parameters())
    return first.device.type == "meta" or isinstance(first, FakeTensor)


def fitting_family_or_none(model: Any) -> Family | None:
    """Return the family of `model`, or None where it has none whose parts fit."""
    try:
        return fitting_family(model)
    except InputError:
        return None


def _missing_module(model: Any, family: Family) -> str:
    """Return words for the first module of the table that `model` does not have, "" where all are there."""
    there = {name for name, _ in model.named_modules()}
    for number in range(model.config.num_hidden_layers):
        for path in family.in_layer(number):
            if path not in there:
                return f"it has no module {path}"
    return "" if family.norm in there else f"it has no module {family.norm}"


@torch.no_grad()
def find_fault(model: Any) -> str:
    """Return words for the part of `model` that does not fit its family, "" where all do."""
    with evaluating(model):
        try:
            return _fault(model)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever a layer raises that is called in another way than it expects
            return f"its layers cannot be called one by one ({type(error).__name__}: {str(error)[:200]})"


def _fault(model: Any) -> str:
    rows = [Row.of(random_tokens(model, length, seed)) for seed, length in enumerate(LENGTHS)]
    layers = Layers(model, read(model, rows))
    batch, norm = layers.batch, model.get_submodule(layers.family.norm)
    real = batch.mask.bool()
    with captured(norm) as seen:
        logits = model(input_ids=batch.ids, attention_mask=batch.mask, use_cache=False).logits[real]
    if not torch.isfinite(logits).all():
        return ""  # no numbers to compare: an edit, or what it learns, tells of that itself
    hidden = layers.embedded
    for number in range(layers.count):
        parts = layers.parts(hidden, number)
        if fault := _fault_of_layer(hidden, parts, layers.mlp(parts.middle, number)):
            return f"in layer {number}, {fault}"
        hidden = parts.output
    if not close(hidden[real], seen[0].input[real]):
        return "its layers, called one by one, do not compute what they do together"
    if not same(model.get_output_embeddings()(norm(seen[0].input))[real], logits):
        return HEAD
    return _fault_of_cache(model, rows, hidden)


def random_tokens(model: Any, length: int, seed: int) -> list[int]:
    """Return a text of tokens drawn at random, always the same."""
    vocabulary = model.get_input_embeddings().weight.shape[0]
    return torch.randint(vocabulary, (length,), generator=torch.Generator().manual_seed(seed)).tolist()


def _fault_of_layer(entering: Tensor, parts: LayerParts, mlp: Tensor) -> str:
    """Return words for what does not fit in a layer that is given `entering`, whose MLP makes `mlp` of `middle`."""
    if not same(parts.middle, entering + parts.attention_output) and same(parts.middle, entering):
        return BESIDE
    if not same(parts.output, parts.middle + parts.mlp_output):
        factor = _factor(parts.output - parts.middle, parts.mlp_output)
        return f"{SCALED} (by {factor:.4g})" if factor else FOLLOWED
    if not same(parts.middle, entering + parts.attention_output):
        return "the attention's output is not added as it is: it is multiplied, or a step such as a norm follows it"
    if not close(mlp, parts.mlp_output):
        return "the MLP, given its norm's output, does not put out what its last linear layer does"
    return ""


def _factor(added: Tensor, output: Tensor) -> float | None:
    """Return the factor between `output` and what was `added`, or None where there is more between them."""
    added, output = added.double().flatten(), output.double().flatten()
    factor = added @ output / (output @ output)
    return float(factor) if torch.allclose(added, factor * output, rtol=0.05, atol=0.01 * float(added.std())) else None


def _fault_of_cache(model: Any, rows: list[Row], hidden: Tensor) -> str:
    layers = Layers(model, read(model, rows, STARTS))
    found = layers.run(layers.embedded, 0)
    for place, (row, start) in enumerate(zip(rows, STARTS, strict=True)):
        end = len(row.ids)
        if not close(found[place, : end - start], hidden[place, start:end]):
            return "with the beginning of a text in a cache, it computes something else than without"
    return ""


def same(one: Tensor, other: Tensor) -> bool:
    """Tell whether two tensors (..., features) are one sum, rounded once: within two units of the last place."""
    return _within(one, other, 2 * torch.finfo(one.dtype).eps)


def close(one: Tensor, other: Tensor, dtype: torch.dtype | None = None) -> bool:
    """Tell whether two tensors (..., features), computed in `dtype` (their own by default), differ by rounding alone.

    The bound is 1e-4 of the norm in float32. In the 16-bit types, whose sums are rounded at each layer and in another
    order with a cache, it is 16 units of the last place (0.12 in bfloat16). With and without a cache, hidden states
    of Qwen2.5-Coder-0.5B differ by 7e-6 in float32 and 0.02 in bfloat16; what does not fit differs by tenths or more.
    """
    return _within(one, other, max(1e-4, 16 * torch.finfo(dtype or one.dtype).eps))


def _within(one: Tensor, other: Tensor, bound: float) -> bool:
    """Tell whether the difference is at most `bound` of the norm, at each position by itself.

    Some positions have entries a thousand times as large as others (attention sinks): beside them, no difference shows.
    """
    difference = torch.linalg.vector_norm((one - other).double(), dim=-1)
    return bool((difference <= bound * torch.linalg.vector_norm(other.double(), dim=-1)).all())


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Let every module of `model` be in evaluation mode (no dropout); put each one's mode back."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
