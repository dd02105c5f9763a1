import pytest
import torch
from transformers import DynamicCache

from edittool.editing.sampling.memory import MOST, ON_CPU, bytes_per_token, fitting, rows_at_once

from ..conftest import FAMILY_NAMES, make_model


@pytest.mark.parametrize("family", FAMILY_NAMES)
def test_what_a_token_takes_is_what_the_cache_holds_of_it(family: str) -> None:
    model = make_model(family)
    cache = DynamicCache(config=model.config)
    with torch.no_grad():
        model(input_ids=torch.tensor([[5, 6, 7, 8]]), past_key_values=cache, use_cache=True)
    held = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
    assert held == 4 * bytes_per_token(model.config, model.dtype)


@pytest.mark.parametrize(("free", "rows"), [(0, 1), (99, 1), (400, 2), (1000, 8), (1300, 8), (10**9, MOST)])
def test_rows_that_fit_are_a_power_of_two(free: int, rows: int) -> None:
    assert fitting(free, 100) == rows


def test_a_cpu_has_a_fixed_number() -> None:
    assert rows_at_once(make_model("llama"), 200) == ON_CPU
