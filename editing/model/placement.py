"""Where a model lies: an edit needs all of it in the memory of one device."""

from typing import Any

from ...schemas.errors import InputError


def check_placement(model: Any) -> None:
    """Raise InputError where `model` is spread over several devices (`device_map`), or parts of it are in no memory.

    An edit reads hidden states off single layers and goes on from them: between devices, nothing would move them.
    """
    places = sorted({str(tensor.device) for tensor in (*model.parameters(), *model.buffers())})
    if places == ["meta"] or len(places) > 1:
        where = " and ".join("no memory (meta)" if place == "meta" else place for place in places)
        raise InputError(
            f"The model lies on {where}: to be edited and sampled, all of it has to lie on one device. Load it without "
            "`device_map`, or with one device for all (device_map={'': 'cuda:0'}); dtype=torch.bfloat16 halves it."
        )
