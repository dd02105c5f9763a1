"""Kinds of work."""

import builtins

from edittool.analysis.uses.standard_library import MODULES, standing
from edittool.analysis.work.kinds import EVERY_SIGN, KINDS, can_stand_in, is_known, signs_by_hand
from edittool.benchmark.builtin import load_builtin


def test_every_api_of_the_table_exists():
    apis = {api.removesuffix(".*") for kind in KINDS for api in f"{kind.apis} {kind.others}".split()}
    unknown = {api for api in apis if standing(api) in ("missing", "unseen")}
    assert {api for api in unknown if api.partition(".")[0] in {*dir(builtins), *MODULES}} == set()


def test_every_sign_is_one_that_is_read():
    assert {sign for kind in KINDS for sign in kind.signs.split()} <= EVERY_SIGN | {"number", "text"}


def test_every_api_of_the_built_in_benchmark_is_known():
    assert [change.deprecated for change in load_builtin().changes.values() if not is_known(change.deprecated)] == []


def test_what_can_stand_in():
    assert can_stand_in("list.sort", "sorted")
    assert can_stand_in(".sort", "sorted")
    assert can_stand_in("re.Pattern.findall", "str.split")
    assert not can_stand_in("str.join", "math.sqrt")
    assert not can_stand_in("len", "toolbox.measure")
    assert can_stand_in("toolbox.measure", "len")


def test_signs_of_an_unknown_api_are_all():
    assert signs_by_hand("toolbox.measure") == EVERY_SIGN
    assert "**" in signs_by_hand("math.sqrt") < EVERY_SIGN
