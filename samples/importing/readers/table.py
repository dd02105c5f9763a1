"""Which reader reads which shape."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from ..answers import Found
from ..opening import Document
from ..shapes import ShapeName
from .bigcode import read_bigcode
from .chat import read_chat
from .evalplus_results import read_evalplus_results
from .inspect_logs import read_inspect
from .lm_eval import read_lm_eval
from .openai_batch import read_openai_batch
from .python_files import read_python_file
from .rows import read_rows_of_programs

READERS: Final[Mapping[ShapeName, Callable[[Document], Iterator[Found]]]] = {
    "human-eval": read_rows_of_programs,
    "evalplus": read_rows_of_programs,
    "evalplus-dir": read_python_file,
    "evalplus-results": read_evalplus_results,
    "bigcode": read_bigcode,
    "lm-eval": read_lm_eval,
    "inspect": read_inspect,
    "openai-batch": read_openai_batch,
    "chat": read_chat,
    "folder": read_python_file,
}
