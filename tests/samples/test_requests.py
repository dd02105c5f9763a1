import pytest

from edittool.samples.requests import Sampling
from edittool.schemas.errors import InputError

DRAWN = {"model": "m", "temperature": 0.8, "top_p": None, "max_tokens": 9}


def test_a_null_counts_only_where_it_removes_something() -> None:
    for style in ("chat", "complete"):
        plain = Sampling(**DRAWN).settings(style)
        assert Sampling(**DRAWN, extra_body={"top_p": None, "top_k": None}).settings(style) == plain
        assert "extra_body_sha256" in Sampling(**DRAWN, extra_body={"temperature": None}).settings(style)
        assert "extra_body_sha256" in Sampling(**DRAWN, extra_body={"guided": {"a": None}}).settings(style)
    stop = Sampling(**DRAWN, extra_body={"stop": None})
    assert "extra_body_sha256" not in stop.settings("chat")
    assert "extra_body_sha256" in stop.settings("complete")


def test_every_sample_has_a_seed_that_there_is() -> None:
    last = 2**31 - 1
    Sampling("m", seed=last).check_seeds(1)
    Sampling("m").check_seeds(9)
    for seed, n in ((last, 2), (0, 2**31 + 1)):
        with pytest.raises(InputError, match="--seed must be at most"):
            Sampling("m", seed=seed).check_seeds(n)
