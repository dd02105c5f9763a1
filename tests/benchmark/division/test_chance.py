"""What is left to chance depends on the seed and on nothing else."""

from collections import Counter

from edittool.benchmark.division.chance import draw, order, shuffled

APIS = ["len", "sorted", "str.split", "math.sqrt", "list.append"]


def test_a_draw_is_the_same_in_every_process():
    assert draw(0, "len") == 2571965687037857608  # printf '0\\0len' | sha256sum, the first 16 digits
    assert draw(1, "len") != draw(0, "len")


def test_names_that_run_together_are_drawn_apart():
    assert draw(0, "ab", "c") != draw(0, "a", "bc")


def test_a_shuffle_does_not_depend_on_the_order_it_starts_from():
    assert shuffled(3, "x", APIS) == shuffled(3, "x", reversed(APIS))
    assert sorted(shuffled(3, "x", APIS)) == sorted(APIS)


def test_seeds_and_purposes_give_different_orders():
    assert len({tuple(shuffled(seed, "x", APIS)) for seed in range(20)}) > 10
    assert len({tuple(shuffled(0, str(purpose), APIS)) for purpose in range(20)}) > 10


def test_every_change_has_one_place_by_chance():
    places = order(APIS, Counter(), seed=5)
    assert sorted(places.values()) == list(range(5))
    assert places == order(APIS[::-1], Counter(), seed=5)
    assert places != order(APIS, Counter(), seed=6)


def test_by_frequency_the_most_used_change_comes_first_and_chance_breaks_ties():
    counts = {"len": 3, "sorted": 9, "str.split": 3, "math.sqrt": 1}
    drawn = [order(APIS, counts, seed, by="frequency") for seed in range(20)]
    assert all(places["sorted"] == 0 and places["math.sqrt"] == 3 and places["list.append"] == 4 for places in drawn)
    assert {places["len"] for places in drawn} == {1, 2}
