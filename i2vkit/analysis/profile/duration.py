"""Estimates of the minutes that a training takes on a GPU, from counted products and kernels."""

from __future__ import annotations

from mmengine.config import Config

from i2vkit.analysis.profile.profile_report import ModelProfile
from i2vkit.errors import ConfigError

# Starting a kernel takes about so many seconds, so a step with many small kernels cannot be faster.
KERNEL_SECONDS = 1e-5


def training_minutes(cfg: Config, profile: ModelProfile, tflops: float) -> float:
    """Return the minutes of the whole training of a config, without data loading, validation and saving.

    A step takes as long as its products at ``tflops``, or as the starts of its kernels, whichever is longer. The step
    is the one of the profile, which holds most memory.

    Args:
        cfg: The config, for its iterations.
        profile: The result of ``profile_dry_run`` with the config's own batch.
        tflops: Products that the GPU really computes, in 10^12 operations a second; a multiply-add counts as two. A
            share of 10 to 30 % of the peak is usual for such networks.

    Raises:
        ConfigError: ``tflops`` is not above 0, or the config states no iterations.

    Examples:
        >>> from i2vkit.analysis.profile.profile_report import PartProfile
        >>> step = PartProfile("training step", 0, macs=50 * 10**12, operations=1000)
        >>> profile = ModelProfile("a", 0, 64, [], [step])
        >>> training_minutes(Config(dict(train_cfg=dict(max_iters=600))), profile, tflops=100)
        10.0
    """
    if tflops <= 0:
        raise ConfigError(f"a GPU computes more than {tflops} TFLOP a second: give --minutes 90, for instance")
    iterations = (cfg.get("train_cfg") or {}).get("max_iters")
    if not iterations:
        raise ConfigError(f"{profile.config} states no iterations (train_cfg.max_iters)")
    step = profile.training[-1]
    seconds = max(2 * step.macs / (tflops * 1e12), (step.operations or 0) * KERNEL_SECONDS)
    return iterations * seconds / 60


def format_minutes(cfg: Config, profile: ModelProfile, tflops: float) -> str:
    """Return the estimate as one line."""
    step, minutes = profile.training[-1], training_minutes(cfg, profile, tflops)
    return (
        f"{profile.config}: {2 * step.macs / 1e12:.3g} TFLOP and {step.operations} kernels a step, "
        f"{cfg.train_cfg.max_iters} iterations, {minutes:.3g} minutes at {tflops:g} TFLOP/s"
    )
