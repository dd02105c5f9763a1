import pytest

from edittool.samples.endpoint.client import Endpoint
from edittool.samples.endpoint.connection import find_proxy, is_here

HERE = ["http://localhost", "http://LOCALHOST:8000", "http://127.0.0.1:1", "http://127.9.8.7/v1", "http://[::1]"]
HERE += ["http://[::1]:8000/v1", "http://a.localhost"]
ELSEWHERE = ["http://localhost.example", "http://128.0.0.1", "http://[::2]:80", "http://127.0.0.1.example"]


def test_this_machine_is_known_by_its_names_and_addresses() -> None:
    assert [url for url in HERE + ELSEWHERE if is_here(url)] == HERE
    assert [url for url in HERE + ELSEWHERE if Endpoint(url, "sk-loopback").shows_the_key] == ELSEWHERE
    assert not Endpoint("https://api.example", "sk-loopback").shows_the_key
    assert not Endpoint("http://api.example").shows_the_key


# The variables, a URL, and the variable whose proxy is asked.
PROXIES = [
    ({}, "http://a.example", None),
    ({"http_proxy": "p:1"}, "http://a.example", "http_proxy"),
    ({"http_proxy": "p:1"}, "https://a.example", None),
    ({"HTTPS_PROXY": "p:1", "ALL_PROXY": "q:1"}, "https://a.example", "HTTPS_PROXY"),
    ({"HTTPS_PROXY": "p:1", "ALL_PROXY": "q:1"}, "http://a.example", "ALL_PROXY"),
    ({"http_proxy": "p:1", "no_proxy": "b.example, example"}, "http://a.example", None),
    ({"http_proxy": "p:1", "NO_PROXY": "*"}, "http://a.example", None),
    ({"http_proxy": "p:1", "NO_PROXY": "a.example:8000"}, "http://a.example:8000", None),
    ({"http_proxy": "p:1", "NO_PROXY": "127.0.0.0/8"}, "http://127.0.0.1:8000", None),
    ({"http_proxy": "p:1", "NO_PROXY": "[::1]"}, "http://[::1]:8000", None),
    ({"http_proxy": "p:1", "NO_PROXY": "10.0.0.0/8"}, "http://127.0.0.1:8000", "http_proxy"),
]


def test_which_proxy_is_asked(monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests) -> None:
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme.upper()}_PROXY", raising=False)
    for variables, url, expected in PROXIES:
        with subtests.test(f"{variables} {url}"), monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            found = find_proxy(url)
            assert (found and found.variable) == expected
            assert found is None or found.url == f"http://{'q' if expected == 'ALL_PROXY' else 'p'}:1"
