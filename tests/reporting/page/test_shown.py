"""What cannot be seen, or reorders what stands around it, becomes a mark; other text stays as it is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edittool.reporting.page.shown import shown
from edittool.reporting.printable import INVISIBLE


@pytest.mark.parametrize("character", [chr(point) for bounds in INVISIBLE for point in bounds])
def test_first_and_last_of_each_range_are_marked(character):
    assert shown(f"a{character}b") == f"a[U+{ord(character):04X}]b"


@given(st.text(st.characters(categories=("Cc", "Cf", "Cs"))))
def test_no_control_format_or_surrogate_stays(text):
    left = {character for character in shown(text) if unicodedata.category(character) in ("Cc", "Cf", "Cs")}
    visible_format = {character for character in left if unicodedata.name(character, "").startswith(VISIBLE)}
    assert left - visible_format <= {"\t", "\n"}


VISIBLE = ("ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN", "SHORTHAND", "MUSICAL")  # signs that are drawn, or join such


@given(st.text(st.characters(categories=("L", "N", "P", "S"), max_codepoint=0x10FF)))
def test_letters_stay_as_they_are(text):
    assert shown(text) == text


def test_long_text_is_cut_before_it_is_marked():
    assert shown("\x00" * 1000, 10) == "[U+0000]" * 9 + "\u2026"
