from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from edittool.judging.sandbox.run_jobs import batches

sizes = st.integers(1, 9)


@given(st.integers(0, 60), sizes, sizes)
def test_every_item_once_and_in_order_and_no_list_too_long_or_empty(number: int, size: int, workers: int) -> None:
    parts = list(batches(range(number), size, workers))
    assert [item for part in parts for item in part] == list(range(number))
    assert all(1 <= len(part) <= size for part in parts)


@given(st.integers(0, 60), sizes, sizes)
def test_the_last_lists_give_each_worker_as_much(number: int, size: int, workers: int) -> None:
    last = [len(part) for part in batches(range(number), size, workers)][-workers:]
    if number >= workers:
        assert len(last) == workers
    assert not last or max(last) - min(last) <= 1


@given(sizes, sizes)
def test_no_more_is_read_ahead_than_all_workers_have_in_hand(size: int, workers: int) -> None:
    read = 0

    def items() -> Iterator[int]:
        nonlocal read
        while True:
            read += 1
            yield read

    taken = 0
    for part in batches(items(), size, workers):
        taken += len(part)
        assert read <= taken - len(part) + size * workers
        if taken > 100:
            break
