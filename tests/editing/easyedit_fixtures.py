"""What EasyEdit itself learns on small random models, kept in a file: the code that makes it, and the settings.

    git clone https://github.com/zjunlp/EasyEdit && git -C EasyEdit checkout 14cea8245f06715684592ab55184939b99d70784
    python -m tests.editing.easyedit_fixtures EasyEdit        # writes easyedit_fixtures.safetensors beside this file

For each method and family there are two edits, the second on top of the first. EasyEdit's own functions make them; they
are given what they would compute or draw otherwise (contexts, covariances), the tokenizer pads on the right, and of
EasyEdit no more is imported than the methods. `docs/parity.md` says what is done besides, for UltraEdit.
"""

import contextlib
import hashlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from edittool.editing.model.families import FAMILIES

from .conftest import FAMILY_NAMES
from .parity_cases import CONTEXTS, END, MIDDLE, ONE, START, byte_tokenizer, covariance_of, hparams_of, model_of

FILE = Path(__file__).with_suffix(".safetensors")
METHODS = ("emmet", "alphaedit", "ultraedit")
EDITS = ((END, MIDDLE), (START, ONE))
CHANGES: Mapping[str, Mapping[str, Any]] = {
    "emmet": {"layers": [1, 2], "update_norm_lambda": 0.5},
    "alphaedit": {"layers": [1, 2]},
}


def tokenizer_for(method: str) -> Any:
    """Without BOS for UltraEdit: EasyEdit would teach that, at the head of each target."""
    tokenizer = byte_tokenizer()
    if method == "ultraedit":
        tokenizer.backend_tokenizer.post_processor = None
        assert tokenizer("a")["input_ids"][0] != tokenizer.bos_token_id
    return tokenizer


def hparams_for(method: str, family: str) -> dict[str, Any]:
    """The hyperparameters that both are given, under EasyEdit's names."""
    if method == "ultraedit":
        parts = FAMILIES[family]
        layers = [parts.mlp_out.format(1), parts.mlp_out.format(2), parts.attention_out.format(2)]
        return {"inner_params": layers, "lr": 1e-3, "token": "mask", "batch_size_once": 1}
    return hparams_of(method, family) | dict(CHANGES[method])


def covariances_for(family: str) -> dict[str, Tensor]:
    return covariance_of(model_of(family), [FAMILIES[family].mlp_out.format(layer) for layer in (1, 2)])


def fingerprint(family: str) -> str:
    """SHA-256 of the random model: another one learns something else."""
    digest = hashlib.sha256()
    for name, parameter in model_of(family).named_parameters():
        digest.update(name.encode() + parameter.detach().numpy().tobytes())
    return digest.hexdigest()


def main() -> None:
    import_easyedit(Path(sys.argv[1]))
    tensors: dict[str, Tensor] = {}
    for method in METHODS:
        for family in FAMILY_NAMES:
            for number, deltas in enumerate(theirs(method, family), 1):
                tensors |= {f"{method}/{family}/{number}/{name}": delta for name, delta in deltas.items()}
    save_file(tensors, FILE, metadata={family: fingerprint(family) for family in FAMILY_NAMES})
    print(f"{FILE}: {FILE.stat().st_size} bytes")


def theirs(method: str, family: str) -> Iterator[dict[str, Tensor]]:
    """What each edit by EasyEdit adds to the weights; the model is put back."""
    model = model_of(family)
    start = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    edit = {"emmet": by_emmet, "alphaedit": by_alphaedit, "ultraedit": by_ultraedit}[method](model, family)
    before = start
    for number, requests in enumerate(EDITS):
        given = [{"prompt": r.prompt, "subject": r.subject, "target_new": r.target, "case_id": 0} for r in requests]
        with contextlib.redirect_stdout(io.StringIO()):
            edit(given, number)
        after = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
        yield {name: after[name] - before[name] for name in after if not torch.equal(after[name], before[name])}
        before = after
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.requires_grad_(True).grad = None
            parameter.copy_(start[name])


def by_emmet(model: Any, family: str) -> Any:
    module = import_module("easyeditor.models.emmet.emmet_main")
    hparams = module.EMMETHyperParams(**locating("emmet", family), alg_name="EMMET")
    give(module, model, family)
    return lambda given, number: module.apply_emmet_to_model(model, tokenizer_for("emmet"), given, hparams)


def by_alphaedit(model: Any, family: str) -> Any:
    module = import_module("easyeditor.models.alphaedit.AlphaEdit_main")
    fields = locating("alphaedit", family) | {"P_loc": "none", "mom2_update_weight": 0}
    hparams = module.AlphaEditHyperParams(**fields, alg_name="AlphaEdit")
    give(module, model, family)

    def edit(given: Sequence[Mapping[str, Any]], number: int) -> None:
        module.apply_AlphaEdit_to_model(model, tokenizer_for("alphaedit"), given, hparams, reset_cache=number == 0)

    return edit


def locating(method: str, family: str) -> dict[str, Any]:
    gpt2 = family == "gpt2"
    names = {"model_name": "gpt2-xl" if gpt2 else family, "lm_head_module": "transformer.wte" if gpt2 else "lm_head"}
    return {**hparams_for(method, family), **names, "layer_selection": "all", "device": "cpu", "stats_dir": "none"}


def give(module: Any, model: Any, family: str) -> None:
    """Put contexts and covariances where EasyEdit keeps them, so that none are drawn or computed."""
    module.CONTEXT_TEMPLATES_CACHE = [["{}"], list(CONTEXTS[1:])]
    model.config._name_or_path = family
    module.COV_CACHE.update({(family, path): tensor for path, tensor in covariances_for(family).items()})


def by_ultraedit(model: Any, family: str) -> Any:
    module = import_module("easyeditor.models.ultraedit.ultraedit_main")
    settings = import_module("easyeditor.models.ultraedit.ultraedit_hparams")
    names = dict.fromkeys(("model_class", "tokenizer_class", "tokenizer_name", "results_dir"), "")
    unused = {"dropout": 0.0, "no_grad_layers": None, "silent": True, "editor_batch_size": 16}
    fields = {**hparams_for("ultraedit", family), **names, **unused, "alg_name": "ULTRAEDIT", "model_name": family}
    hparams = settings.UltraEditHyperParams(**fields, batch_size=len(EDITS[0]), device="cpu")
    executor = module.UltraEditRewriteExecutor()
    executor.init_model(model, tokenizer_for("ultraedit"), hparams)
    executor.is_init = True
    return lambda given, number: executor.apply_to_model(model, tokenizer_for("ultraedit"), given, hparams)


def import_easyedit(folder: Path) -> None:
    """Let the methods of EasyEdit be imported from `folder`, but nothing else of what is there."""
    package = folder.expanduser().absolute() / "easyeditor"
    for name in ("", ".models", ".models.ultraedit", ".util", ".trainer", ".trainer.algs", ".trainer.algs.malmen"):
        module = ModuleType(f"easyeditor{name}")
        module.__path__ = [str(package.joinpath(*name.split(".")[1:]))]
        sys.modules[f"easyeditor{name}"] = module
    stand_in("datasets", "load_dataset")
    stand_in("hydra")
    stand_in("easyeditor.trainer.losses", "masked_log_probs")
    stand_in("easyeditor.util.vl_utils", "is_hf_multimodal_model")
    training = ("EarlyStopper", "RunningStatAverager", "formatted_timestamp", "safe_backward", "time_delta_seconds")
    stand_in("easyeditor.trainer.utils", "_logits", "shift_targets", *training)
    os.chdir(tempfile.mkdtemp())  # AlphaEdit writes its projection where it is


def stand_in(name: str, *names: str) -> None:
    """Put a module without content where EasyEdit imports one that it does not need for what is asked of it here."""
    module = ModuleType(name)
    module.__dict__.update(dict.fromkeys(names))
    sys.modules[name] = module


if __name__ == "__main__":
    main()
