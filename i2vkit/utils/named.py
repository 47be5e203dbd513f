"""Collections of a config whose entries have names: phases, losses, hooks, schedulers, metrics, pipeline steps."""

from collections.abc import Mapping
from typing import Any

from i2vkit.errors import ConfigError

# The keys of a config that hold parts by name, each with one entry as you would write it.
NAMED_EXAMPLES = {
    "phases": 'generator=dict(updates=["generator"], losses=dict(...))',
    "losses": "frame_l1=dict(type=FrameL1Loss)",
    "pretrained": 'motion_encoder=dict(part="generator.motion_encoder", checkpoint="work_dirs/...")',
    "pipeline": "window=dict(type=RandomWindow, length=16), read=dict(type=ReadFrames), pack=dict(type=PackClip)",
    "augmentation": "flip=dict(type=RandomFlip)",
    "extra_steps": "states=dict(type=LabelStates, num_states=3)",
    "custom_hooks": "seed=dict(type=IterationSeedHook)",
    "param_scheduler": "decay=dict(type=LinearLR, ...)",
    "val_evaluator": "ssim=dict(type=Ssim)",
    "test_evaluator": "ssim=dict(type=Ssim)",
}


def named_entries(entries: Any, key: str, where: str | None = None) -> dict[str, Any]:
    """Return the entries of a named collection in their order, without those that are None.

    Args:
        entries: The value of a config under ``key``. None counts as empty.
        key: One of ``NAMED_EXAMPLES``.
        where: The path of the collection for the error message. By default ``key``.

    Returns:
        A new dict. An entry None, which drops the part of that name, is left out.

    Raises:
        ConfigError: The collection is not a dict of names. The message shows how to write it.

    Examples:
        >>> named_entries({"ssim": {"type": "Ssim"}, "psnr": None}, "val_evaluator")
        {'ssim': {'type': 'Ssim'}}
    """
    if entries is None:
        return {}
    if not isinstance(entries, Mapping) or "type" in entries:
        given = "one part without a name" if isinstance(entries, Mapping) else f"a {type(entries).__name__}"
        raise ConfigError(
            f"{where or key} is {given}; give each entry a name, for instance "
            f"{key}=dict({NAMED_EXAMPLES[key]}). The order of the names is the order of work"
        )
    return {name: entry for name, entry in entries.items() if entry is not None}
