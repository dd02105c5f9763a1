import json
import time

from hypothesis import given
from hypothesis import strategies as st

from edittool.samples.endpoint.hidden_key import SHOWN, key_hider

keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=30)


@given(keys, st.integers(0, 3))
def test_a_key_is_hidden_however_often_json_has_escaped_it(key: str, times: int) -> None:
    text = key
    for _ in range(times):
        text = json.dumps(text)[1:-1].replace("/", "\\/")
    assert key_hider(key)(f"<{text}>") == f"<{SHOWN}>"
    assert key_hider(key)("".join(f"\\u{ord(letter):04X}" for letter in key)) == SHOWN


def test_short_keys_are_none_and_backslashes_take_no_time() -> None:
    assert key_hider("EMPTY")("EMPTY") == key_hider(None)("EMPTY") == "EMPTY"
    started = time.monotonic()
    text = "\\" * 2**20
    assert key_hider("sk-loopback")(text) == text
    assert time.monotonic() - started < 10
