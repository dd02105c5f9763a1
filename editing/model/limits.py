"""What a configuration says of a model as a whole, whatever its type: the longest text that it reads."""

import sys
from typing import Any

UNBOUNDED = sys.maxsize
# Where configurations say it; transformers maps most other names to the first, but not MPT's.
_NAMES = ("max_position_embeddings", "max_seq_len")


def context_length(model: Any) -> int:
    """Return how many tokens `model` reads at most; UNBOUNDED where its configuration says nothing (Bloom, Mamba).

    Of a model that reads more than text, the configuration of the text's part counts.
    """
    for config in (model.config.get_text_config(decoder=True), model.config):
        for name in _NAMES:
            length = getattr(config, name, None)
            if isinstance(length, int) and length > 0:
                return length
    return UNBOUNDED
