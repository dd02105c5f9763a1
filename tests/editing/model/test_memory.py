import pytest
import torch

from edittool.editing.model.memory import check_memory, fitting, need_room
from edittool.schemas.errors import EnvironmentFault


def test_too_little_memory() -> None:
    with pytest.raises(
        EnvironmentFault, match=r"cuda:0 is too small: the weights take 13\.5 GiB, and 10\.0 GiB are free"
    ):
        need_room(int(13.5 * 2**30), 10 * 2**30, "the weights", "cuda:0")
    need_room(10 * 2**30, 10 * 2**30, "the weights", "cuda:0")


def test_the_processor_is_not_asked() -> None:
    check_memory(torch.device("cpu"), 2**60, "the weights")


def test_memory_that_ran_out() -> None:
    told = pytest.raises(EnvironmentFault, match=r"memory of cuda:1 is too small for the model\. Use --dtype bfloat16")
    with told, fitting("the model", "cuda:1"):
        raise torch.OutOfMemoryError
