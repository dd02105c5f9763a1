"""The client of an OpenAI-compatible server: one request at a time for each caller, tried again where that can help.

Written on httpx2 and not on OpenAI's own package, which has bounds that we cannot do with (it waits no longer than a
minute for what a server asks) and lacks one that we need (a body may be as long as it likes).
"""

import asyncio
import email.utils
import json
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2

from ...schemas.errors import EdittoolError, EnvironmentFault, InputError
from ..prompts import Style
from ..requests import PATHS
from .answers import Answer, BrokenOffError, Failure, FailureKind, MalformedError, parse_object, read_answer
from .connection import Proxy, find_proxy, is_here, open_http
from .hidden_key import key_hider

MAX_BODY_BYTES = 16 * 2**20
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds between tries, where the server names none
NOTICE_SECONDS = 15.0  # between two notices
_BUSY = frozenset({429, 503, 529})
_FEWER_RETRIES = {"timeout": 2, "malformed_response": 3}  # these take long, or are mostly the same again
_AGAIN = frozenset({408, 409, 425})
_UNPAID = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_DAY = 86400.0  # seconds


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server and how it is dealt with.

    `timeout` is for one whole answer, in seconds. A request is tried `retries` times more; what a busy server asks to
    wait for does not count, up to `patience` seconds for one request. `key` is never shown.
    """

    base_url: str
    key: str | None = field(default=None, repr=False)
    timeout: float = 600.0
    retries: int = 8
    patience: float = 3600.0
    concurrency: int = 8

    @property
    def host(self) -> str:
        """Return the server's host, and its port where one was given."""
        return urlsplit(self.base_url).netloc

    @property
    def proxy(self) -> Proxy | None:
        """Return the proxy through which the environment has the server asked."""
        return find_proxy(self.base_url)

    @property
    def shows_the_key(self) -> bool:
        """Say whether the key leaves this machine unencrypted."""
        open_to_all = self.base_url.startswith("http://") and not (is_here(self.base_url) and self.proxy is None)
        return self.key is not None and open_to_all


def check_base_url(url: str) -> str:
    """Return `url` without a slash at its end. Raises InputError, which never shows a password, for what is no base."""
    try:
        parts = urlsplit(url.strip())
        _port = parts.port
        httpx2.URL(url.strip())
    except (ValueError, httpx2.InvalidURL):
        raise InputError("--base-url is no URL. Give one such as http://localhost:8000/v1.") from None
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "--base-url holds a name or a password. Leave it out: a key comes from the variable OPENAI_API_KEY alone."
        )
    if parts.query or parts.fragment:
        raise InputError("--base-url has a query or a fragment (? or #). Give the URL up to there.")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"--base-url {url!r} is not http:// or https:// and a host, as in http://localhost:8000/v1.")
    path = parts.path.rstrip("/")
    for end in PATHS.values():
        if path.endswith(end):
            raise InputError(f"--base-url ends with {end}. Give the URL up to there, which mostly ends with /v1.")
    return f"{parts.scheme}://{parts.netloc}{path}"


def check_key(key: str | None) -> str | None:
    """Return the key without white space around it, None for none. Raises InputError, without showing it."""
    key = (key or "").strip()
    if not key.isascii() or not key.isprintable():
        raise InputError("OPENAI_API_KEY holds a character that no key has (a line end?). Set the variable anew.")
    return key or None


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What went wrong in one try.

    `kind` None: the server was not reached or, where it is `busy`, sent the request away, which says nothing of the
    prompt. `wait`: the seconds that the server asked for. `again`: another try may help.
    """

    kind: FailureKind | None
    detail: str
    wait: float | None = None
    again: bool = True
    busy: bool = False


class Client:
    """Asks the server of `endpoint`; a context manager. `tell` gets a line now and then about what is waited for.

    `answered` says that the server has taken the settings before: what it refuses then is the prompt. `tries_again`
    counts requests that were sent once more. Raises EnvironmentFault as `open_http` does.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        style: Style,
        tell: Callable[[str], object] = lambda line: None,
        *,
        answered: bool = False,
    ):
        self.endpoint, self._style, self._tell = endpoint, style, tell
        self.tries_again, self._answered = 0, answered
        self._closed_until, self._last_notice = 0.0, -math.inf
        self._hide, self._proxy = key_hider(endpoint.key), endpoint.proxy
        headers = {"accept": "application/json", "accept-encoding": "identity", "content-type": "application/json"}
        headers["user-agent"] = f"edittool/{version('edittool')}"
        if endpoint.key is not None:
            headers["authorization"] = f"Bearer {endpoint.key}"
        timeout = httpx2.Timeout(endpoint.timeout, connect=min(30.0, endpoint.timeout), pool=None)
        limits = httpx2.Limits(max_connections=endpoint.concurrency + 1)
        self._http = open_http(headers, timeout, limits, self._proxy)

    async def ask(self, body: Mapping[str, Any]) -> Answer:
        """Return the answer to `body`, or one with a failure of the server's, after all tries.

        Raises InputError where the request is wrong whatever the prompt, and names what to mend; EnvironmentFault where
        the server cannot be reached, is busy for too long or has no quota left.
        """
        data = json.dumps(body).encode("ascii")
        tried, waited = 0, 0.0
        while True:
            await self._wait_for_the_gate()
            found = await self._try(data)
            if isinstance(found, Answer):
                self._answered = True
                return found
            retries = min(self.endpoint.retries, _FEWER_RETRIES.get(found.kind or "", self.endpoint.retries))
            sent_away = found.busy and bool(found.wait)  # until a time that the server named: that was no try
            if not found.again or (tried >= retries and not sent_away):
                return self._give_up(found, tried)
            backoff = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tried, 16)) * _spread(0.5, 1)
            pause = max(backoff, found.wait or 0.0)
            waited += pause if found.wait else 0.0
            if waited > self.endpoint.patience:
                raise EnvironmentFault(
                    f"{self.endpoint.host} is busy: {found.detail}. It asks to wait {_in_words(pause)}. "
                    f"{_GO_ON} Wait, use a smaller --concurrency, or give more --patience."
                )
            if sent_away:  # the others would only be sent away too
                self._closed_until = max(self._closed_until, time.monotonic() + pause)
            self._notice(f"{found.detail}: again in {_in_words(pause)}")
            tried += not sent_away
            self.tries_again += 1
            await asyncio.sleep(pause)

    def _give_up(self, trouble: _Trouble, tried: int) -> Answer:
        detail = trouble.detail if not tried else f"{trouble.detail} ({tried + 1} tries)"
        if trouble.kind is not None:
            return Answer(failure=Failure(trouble.kind, detail))
        remedy = "It is busy, or not ready yet. Use a smaller --concurrency, or more --retries."
        raise EnvironmentFault(
            f"{self.endpoint.host}: {detail}. {remedy if trouble.busy else self._not_there} {_GO_ON}"
        )

    @property
    def _not_there(self) -> str:
        if self._proxy is None:
            return "Is the server up?"
        return f"Is the server up, and the proxy that the variable {self._proxy.variable} names?"

    async def _wait_for_the_gate(self) -> None:
        while (left := self._closed_until - time.monotonic()) > 0:
            await asyncio.sleep(left + _spread(0, 0.1))

    def _notice(self, line: str) -> None:
        if time.monotonic() - self._last_notice >= NOTICE_SECONDS:
            self._last_notice = time.monotonic()
            self._tell(f"{self.endpoint.host}: {line}")

    async def _try(self, data: bytes) -> Answer | _Trouble:
        url = self.endpoint.base_url + PATHS[self._style]
        try:
            async with asyncio.timeout(self.endpoint.timeout):
                status, headers, body = await self._post(url, data)
        except (TimeoutError, httpx2.ReadTimeout, httpx2.WriteTimeout):
            return _Trouble("timeout", f"no answer within {self.endpoint.timeout:g} s")
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
            through = "" if self._proxy is None else f" through the proxy of {self._proxy.variable}"
            return _Trouble(None, f"no connection{through} ({self._clean(str(error)) or type(error).__name__})")
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            said = self._clean(str(error)) or type(error).__name__
            return _Trouble("connection_lost", f"the connection was lost ({said})")
        if status != 200:
            return await self._refused(status, headers, body or b"")
        if body is None:
            return Answer(failure=Failure("too_long", f"a response of more than {MAX_BODY_BYTES // 2**20} MiB"))
        try:
            response = parse_object(body, self._hide)
            if response.get("error") and not response.get("choices"):  # some proxies answer 200 whatever happened
                return await self._refused(_code_in(response), headers, body)
            return read_answer(response, self._style)
        except BrokenOffError as error:
            said = self._clean(str(error))
            return _Trouble("server_error", f"the server broke off the answer{said and ': '}{said}")
        except MalformedError as error:
            return _Trouble("malformed_response", f"the response is malformed: {self._clean(str(error))}")

    async def _post(self, url: str, data: bytes) -> tuple[int, httpx2.Headers, bytes | None]:
        """Return status, headers and body of the response; None for a body that is too long."""
        async with self._http.stream("POST", url, content=data) as response:
            parts, length = [], 0
            async for part in response.aiter_bytes():
                length += len(part)
                if length > MAX_BODY_BYTES:
                    return response.status_code, response.headers, None
                parts.append(part)
            return response.status_code, response.headers, b"".join(parts)

    async def _refused(self, status: int, headers: httpx2.Headers, body: bytes) -> _Trouble:
        """Return the trouble that a response with `status` is. Raises where no other prompt would fare better."""
        said, codes = self._said(body)
        detail = f"the server answered {status}{said and ': '}{said}"
        if status == 402 or codes & _UNPAID:
            raise EnvironmentFault(f"{self.endpoint.host}: {detail}. {_GO_ON} Add quota or credit first.")
        if status in _BUSY:
            return _Trouble(None, detail, _asked_wait(headers), busy=True)
        if status >= 500 or status in _AGAIN:
            return _Trouble("server_error", detail, _asked_wait(headers))
        about_the_prompt = status == 413 or (
            status in (400, 422) and (self._answered or _names_the_prompt(said, codes))
        )
        if about_the_prompt:
            return _Trouble("bad_request", detail, again=False)
        raise await self._mistake(status, headers, detail)

    async def _mistake(self, status: int, headers: httpx2.Headers, detail: str) -> EdittoolError:
        host, detail = self.endpoint.host, detail.rstrip(".")
        if status in (401, 403):
            if self.endpoint.key is None:
                return InputError(f"{host}: {detail}. It wants a key: set the variable OPENAI_API_KEY.")
            return InputError(f"{host}: {detail}. Check the key in the variable OPENAI_API_KEY and what it may use.")
        if status in (404, 405):
            other = "completions" if self._style == "chat" else "chat"
            return InputError(
                f"{host}: {detail}. Check --model ({await self._models()}), --base-url, which mostly ends with /v1, "
                f"and whether the server has this API (--api {other} is the other)."
            )
        if status == 407 and self._proxy is not None:
            return EnvironmentFault(
                f"{host}: {detail}. The proxy of the variable {self._proxy.variable} wants a name and a password: put "
                "them into that variable, or leave the server out with NO_PROXY."
            )
        if status < 300:
            return InputError(
                f"{host}: {detail}, and no answer came with it. Check --base-url: is an OpenAI-compatible server there?"
            )
        if status < 400:
            place = self._clean(headers.get("location", "another place")).removesuffix(PATHS[self._style])
            return InputError(f"{host}: {detail}. It leads to {place}: give that place as --base-url.")
        return InputError(
            f"{host}: {detail}. Mend the option that it names. A field that the server does not take is left out with "
            """--extra-body, where null removes one: '{"max_tokens": null, "max_completion_tokens": 2048}'."""
        )

    async def _models(self) -> str:
        """Return which models the server says it has, in words."""
        try:
            async with (
                asyncio.timeout(min(10.0, self.endpoint.timeout)),
                self._http.stream("GET", f"{self.endpoint.base_url}/models") as response,
            ):
                parts = [part async for part in _at_most(response, MAX_BODY_BYTES // 16)]
            rows = parse_object(b"".join(parts), self._hide).get("data")
            names = [self._clean(row["id"]) for row in rows if isinstance(row["id"], str)] if rows else []
        except (httpx2.HTTPError, TimeoutError, MalformedError, TypeError, KeyError):
            names = []
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        return f"the server has {', '.join(names[:8])}{more}" if names else "`curl BASE_URL/models` lists those it has"

    def _said(self, body: bytes) -> tuple[str, set[str]]:
        """Return what the server says of an error, short and without the key, and the codes it gives it."""
        try:
            response = parse_object(body, self._hide)
        except MalformedError:
            return self._clean(body[:4000].decode("utf-8", "replace")), set()
        error = response.get("error", response.get("detail", response))
        if not isinstance(error, dict):
            return self._clean(error if isinstance(error, str) else json.dumps(error)), set()
        codes = {value for name in ("code", "type") if isinstance(value := error.get(name), str)}
        message = error.get("message", error.get("detail", error.get("object", "")))
        return self._clean(message if isinstance(message, str) else json.dumps(message)), codes

    def _clean(self, text: str) -> str:
        """Return the beginning of `text` on one line, without the key."""
        text = " ".join(self._hide(text[:4000]).split())
        return text if len(text) <= 300 else f"{text[:300]}..."

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()


_GO_ON = "What was answered is kept: the same command goes on from here."


def _in_words(seconds: float) -> str:
    return "more than a day" if seconds > _DAY else f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _spread(low: float, high: float) -> float:
    """Return a number that differs for each request: all of them at once would be too many again."""
    return random.uniform(low, high)  # noqa: S311  no secret hangs on it


async def _at_most(response: httpx2.Response, limit: int) -> Any:
    length = 0
    async for part in response.aiter_bytes():
        length += len(part)
        if length > limit:
            return
        yield part


def _code_in(response: Mapping[str, Any]) -> int:
    """Return the status that an error in a response with status 200 names; 500 where it names none."""
    error = response["error"]
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _names_the_prompt(said: str, codes: set[str]) -> bool:
    """Say whether an error speaks of this prompt, longer than the model's context or filtered, and of no other."""
    words = said.lower()
    too_long = "context" in words and any(word in words for word in ("length", "size", "window", "exceed"))
    return too_long or any("context" in code or "content_filter" in code or "content_policy" in code for code in codes)


def _asked_wait(headers: httpx2.Headers) -> float | None:
    """Return the seconds that a server asks to wait for, None where it does not say: seconds, a date, milliseconds."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            seconds = float(value) * unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    try:
        when = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
        return max(0.0, when.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
