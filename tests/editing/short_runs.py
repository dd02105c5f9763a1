"""A run for each regime, with FT and few short samples."""

from dataclasses import replace

import torch

from edittool.editing.methods.alphaedit import AlphaEditHparams
from edittool.editing.methods.emmet import EmmetHparams
from edittool.editing.methods.ft import FtHparams
from edittool.editing.methods.grace import GraceHparams
from edittool.editing.methods.hparams import Hparams, read_hparams
from edittool.editing.methods.lora import LoraHparams
from edittool.editing.methods.memit import MemitHparams
from edittool.editing.methods.pmet import PmetHparams
from edittool.editing.methods.rome import RomeHparams
from edittool.editing.methods.table import find_method
from edittool.editing.methods.ultraedit import UltraEditHparams
from edittool.editing.runs.sampling import Sampling
from edittool.editing.runs.settings import Run

FT = Hparams(FtHparams([1], "model.layers.{}.mlp.down_proj", num_steps=2, lr=5e-2, profile="exact"), "test")
MANY = replace(find_method("ft"), many=True)
SAMPLING = Sampling(n=2, max_new_tokens=6, batch_size=3)
INSTANT = Run("m", find_method("ft"), FT, "instant", SAMPLING)
SEQUENTIAL = replace(INSTANT, regime="sequential", specificity_per_change=1)
BATCH = replace(INSTANT, method=MANY, regime="batch")
NONE = Run("m", find_method("none"), read_hparams(None, find_method("none")), "none", SAMPLING)

VALUE = {
    "v_num_grad_steps": 3,
    "v_lr": 0.5,
    "v_weight_decay": 1e-3,
    "clamp_norm_factor": 4.0,
    "kl_factor": 0.0625,
}
METHOD_HPARAMS = {
    "ft": FT.values,
    "grace": GraceHparams(["model.layers[1].mlp.down_proj"], edit_lr=0.5, n_iter=3, eps=1.0),
    "rome": RomeHparams(layers=[1], **VALUE),
    "memit": MemitHparams(layers=[0, 1], mom2_update_weight=10.0, **VALUE),
    "pmet": PmetHparams(layers=[0, 1], mom2_update_weight=10.0, **VALUE),
    "emmet": EmmetHparams(layers=[0, 1], mom2_update_weight=10.0, **VALUE),
    "alphaedit": AlphaEditHparams(layers=[0, 1], nullspace_threshold=1.0, L2=1.0, **VALUE),
    "ultraedit": UltraEditHparams(["model.layers[1].mlp.down_proj"], lr=1e-3),
}
# Whose memory cannot be told from shapes: peft moves its adapters in a way that tensors without content refuse.
ADAPTER_HPARAMS = {
    "lora": LoraHparams(target_modules=["o_proj"], rank=2, lora_alpha=4.0, num_steps=2, lr=0.05, lora_dropout=0.1),
}
SPREAD = torch.diag(torch.linspace(0.5, 1.5, 48))
COVARIANCE = {f"model.layers.{layer}.mlp.down_proj": SPREAD for layer in (0, 1)}  # of the layers above
