"""The settings of a run: everything that decides its samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from ...schemas.errors import InputError
from ...schemas.problems import Problem
from ..methods.hparams import Hparams
from ..methods.table import Method, all_methods
from ..requests import RequestRule, SubjectRule
from ..sampling.luck import LUCK
from .asking import Ask, Question, Style, go_on
from .sampling import Sampling

Regime = Literal["none", "instant", "sequential", "batch"]
Engine = Literal["transformers", "vllm"]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that decides what the samples are, besides the benchmark, the model's weights and the edits' context.

    `changes` limits the edits to these ids; `specificity_per_change` limits how many specificity problems each edited
    model is sampled on. `steps`: after how many edits the sequential regime samples; absent: 1, 2, 5, 10, 20, 50, ...
    and the last. `requests`, `subject` and `requests_per_change` say what is taught: see `requests_for`, and
    `taught_by_default` for what a method is best taught. `shard` (i, n) is the i-th, from 1, of n parts of the instant
    regime: the rows of all parts, one after the other, are those of the whole run. `style` says whether the model goes
    on from a text or answers in a chat, and `ask` what it is asked; without the latter it goes on from the problem's
    prompt. `engine` is what samples: the edited model itself, or a vLLM engine that is given its weights.
    """

    model: str
    method: Method
    hparams: Hparams
    regime: Regime
    sampling: Sampling
    dtype: str = "float32"
    changes: tuple[str, ...] | None = None
    specificity_per_change: int | None = None
    steps: tuple[int, ...] | None = None
    requests: RequestRule = "solution"
    subject: SubjectRule = "function"
    requests_per_change: int | None = None
    shard: tuple[int, int] | None = None
    style: Style = "complete"
    ask: Ask = go_on
    engine: Engine = "transformers"

    def __post_init__(self) -> None:
        """Decide what hyperparameters leave to the regime.

        Raises InputError for a method and a regime that do not go together, and for numbers without meaning.
        """
        object.__setattr__(self, "hparams", self.hparams.for_regime(self.regime))
        if (self.method.name == "none") != (self.regime == "none"):
            raise InputError(
                f"Method {self.method.name} and regime {self.regime} do not go together: the unedited model is "
                f"`--method none --regime none`, and every other regime needs a method that edits."
            )
        if self.regime == "batch" and not self.method.many:
            able = " or ".join(method.name for method in all_methods() if method.many)
            raise InputError(
                f"Method {self.method.name} cannot take all changes in one edit. Use --regime sequential or instant, "
                f"or a method that can: {able}."
            )
        if self.engine == "vllm" and self.method.name == "grace":
            raise InputError(
                "GRACE changes no weight: it looks a codebook up while the model runs, which vLLM cannot be given. "
                "Leave --engine out: GRACE stays with edittool's own sampler."
            )
        if self.method.told and self.ask is go_on:
            raise InputError(
                f"The method {self.method.name} needs prompts that document changes: give the run a function that asks "
                "(`ask`), such as `PromptMaker(bench, style, docs='change').make` of edittool.samples.prompts."
            )
        if self.style == "chat" and self.sampling.extract == "cut":
            raise InputError(
                "The answer in a chat does not go on from the prompt, so its beginning is no program: --chat does not "
                "go with --extract cut. Leave --extract out, or use auto or fence."
            )
        if self.specificity_per_change is not None and self.specificity_per_change < 0:
            raise InputError(f"specificity_per_change must be 0 or more, not {self.specificity_per_change}.")
        self._check_teaching()
        self._check_steps()
        self._check_shard()

    def _check_teaching(self) -> None:
        if self.requests_per_change is not None and self.requests_per_change < 1:
            raise InputError(
                f"An edit needs at least one request: --requests-per-change 1 or more, not {self.requests_per_change}."
            )
        if self.method.keyed and self.subject != "last_word" and profile_of(self.hparams) == "clme":
            raise InputError(
                f"The profile clme keys an edit on what follows the prompt's last space, not on the {self.subject}. "
                "Leave --subject out or use last_word, or take another profile in the hyperparameters."
            )

    def _check_steps(self) -> None:
        if self.steps is None:
            return
        if self.regime != "sequential":
            raise InputError(
                f"Steps are for the sequential regime; in {self.regime} there are none. Leave out --steps."
            )
        if not self.steps or min(self.steps) < 1:
            raise InputError(
                "Steps count the edits in the model, from 1: --steps 1,2,5. The unedited model is "
                "`--method none --regime none`."
            )

    def _check_shard(self) -> None:
        if self.shard is None:
            return
        part, parts = self.shard
        if not 1 <= part <= parts:
            raise InputError(f"There is no part {part} of {parts}: parts are counted from 1, --shard 1/{parts}.")
        if self.regime != "instant":
            raise InputError(
                f"The regime {self.regime} cannot be divided into parts: only in instant does every change begin with "
                "the unedited model. Leave out --shard."
            )

    @property
    def edits(self) -> bool:
        """Whether it edits the model: not with no method, and not where prompts tell of the changes instead."""
        return self.regime != "none" and not self.method.told

    def question(self, problem: Problem, edited: Sequence[str]) -> Question:
        """Return what the model is asked for `problem` at the stage after the changes `edited`."""
        told = self.hparams.values.documented(problem.change_id, edited) if self.method.told else ()
        return self.ask(problem, told)

    def identity(self) -> dict[str, Any]:
        """Return the fields that are the same in every row of one output file."""
        return {
            "model": self.model,
            "dtype": self.dtype,
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "method": self.method.name,
            "regime": self.regime,
            **self._teaching(),
            "engine": self.engine,
            "style": self.style,
            "seed": self.sampling.seed,
            "samples_per_problem": self.sampling.n,
            "temperature": self.sampling.temperature,
            "top_p": self.sampling.top_p,
            "max_new_tokens": self.sampling.max_new_tokens,
            **({"luck": LUCK} if self.sampling.temperature > 0 and self.engine == "transformers" else {}),
            "specificity_per_change": self.specificity_per_change,
        }

    def _teaching(self) -> dict[str, Any]:
        if self.regime == "none":
            return {}
        if self.method.told:
            return {"hparams_sha256": self.hparams.sha256(), "docs": "change"}
        return {
            "hparams_sha256": self.hparams.sha256(),
            "requests": self.requests,
            "requests_per_change": self.requests_per_change,
            "subject": self.subject,
        }


# What is taught by implementations whose habits a profile follows; `exact` follows none.
HABITS: dict[str | None, tuple[RequestRule, SubjectRule]] = {
    "easyedit": ("solution", "function"),
    "original": ("solution", "function"),
    "clme": ("solution", "last_word"),
}


def profile_of(hparams: Hparams) -> str | None:
    """Return which implementation the hyperparameters follow; None where the method knows no profiles."""
    profile: str | None = getattr(hparams.values, "profile", None)
    return profile


def taught_by_default(method: Method, hparams: Hparams) -> tuple[RequestRule, SubjectRule]:
    """Return the requests and the subject of a run that asks for none: a profile's habits, else the method's own."""
    return HABITS.get(profile_of(hparams), (method.requests, method.subject))
