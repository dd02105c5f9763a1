"""Writing on many texts in a batch that stays full: prompts are read ahead, and one joins as soon as another ends."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from .reader import Reader, Ready
from .rows import Rows, can_refill
from .texts import Choosing, Tally, Writing

READ = 32  # texts that are read at once, at most: the shorter prompts among more would be padding for the most part


def write(
    model: Any, texts: Sequence[Writing], size: int, choosing: Choosing, pad: int, tally: Tally | None = None
) -> Iterator[None]:
    """Write on `texts`, `size` of them at once and in their order, until all are done; yields when some have ended.

    Every text gets the tokens that it would get alone, rounding apart. A model whose layers keep all that they have
    read is given another text as soon as one ends; with any other, `size` texts are read, and all of them end, before
    the next. `pad` is the token that shorter prompts are padded with.
    """
    return _Batch(model, texts, size, choosing, pad, tally or Tally()).write()


class _Batch:
    def __init__(self, model: Any, texts: Sequence[Writing], size: int, choosing: Choosing, pad: int, tally: Tally):
        self._model, self._size, self._choosing, self._tally = model, size, choosing, tally
        self._reader = Reader(model, choosing, pad, tally)
        self._refills = can_refill(model)
        read = min(size, READ) if self._refills else size
        self._unread = iter([texts[start : start + read] for start in range(0, len(texts), read)])
        self._waiting: deque[Ready] = deque()

    @torch.inference_mode()
    def write(self) -> Iterator[None]:
        while begun := list(self._next(self._size)):
            yield
            texts, rows = [ready.text for ready in begun], self._rows(begun)
            while texts:
                self._step(texts, rows)
                if ended := [place for place, text in enumerate(texts) if text.done]:
                    texts = self._settle(texts, rows, ended)
                    yield
        yield

    def _next(self, wanted: int) -> Iterator[Ready]:
        """Yield up to `wanted` texts that were read and have not ended; where none waits, more are read."""
        for _ in range(wanted):
            while not self._waiting:
                group = next(self._unread, None)
                if group is None:
                    return
                self._waiting.extend(self._reader.read(group))
            yield self._waiting.popleft()
            if not self._refills and not self._waiting:
                return

    def _rows(self, begun: Sequence[Ready]) -> Rows:
        kept = [ready.kept for ready in begun]
        if self._refills:
            return Rows.of(self._model, kept)
        return Rows.of_one_reading(self._model, kept, begun[0].width)

    def _step(self, texts: Sequence[Writing], rows: Rows) -> None:
        """Give each of `texts` another token."""
        newest = torch.tensor([text.new_ids[-1] for text in texts], device=self._model.device)
        self._tally.passes += 1
        self._choosing.give(texts, rows.step(newest))

    def _settle(self, texts: Sequence[Writing], rows: Rows, ended: Sequence[int]) -> list[Writing]:
        """Put others where `texts` have ended, as far as there are any, close what gaps are left; return the texts."""
        joining = self._next(len(ended)) if self._refills else iter(())
        there: dict[int, Writing] = dict(enumerate(texts))
        for place in ended:
            ready = next(joining, None)
            if ready is None:
                del there[place]
            else:
                rows.put(place, ready.kept)
                there[place] = ready.text
        if there and len(there) < len(texts):
            rows.keep(list(there))
        if there and self._refills:
            rows.trim()
        return list(there.values())
