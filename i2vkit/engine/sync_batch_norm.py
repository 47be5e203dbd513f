"""Batch norms whose statistics are those of all processes together."""

from __future__ import annotations

from mmengine.logging import print_log
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from i2vkit.errors import ConfigError

IMPLEMENTATIONS = ("torch", "mmcv")
_PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def convert_batch_norms_(model: nn.Module, implementation: str = "torch") -> int:
    """Replace every batch norm that trains by a synchronised one, in place.

    Weights, statistics and their names stay, so that checkpoints fit either way. Batch norms of frozen parts keep their
    own statistics and stay as they are. mmengine's function of this kind would remove the activation of timm's layers,
    which are batch norm and activation in one.

    Args:
        model: The model, changed in place. It then trains on GPUs only, because neither implementation has a CPU
            kernel.
        implementation: "torch" (``torch.nn.SyncBatchNorm``, the default), or "mmcv" (of ``mmcv.ops``, if mmcv was
            compiled).

    Returns:
        The number of batch norms that were replaced.

    Raises:
        ConfigError: The implementation is not installed, or a kind of batch norm is unknown to it.
    """
    if implementation not in IMPLEMENTATIONS:
        raise ConfigError(f'sync_bn is "torch" or "mmcv", not {implementation!r}')
    made: dict[int, nn.Module] = {}  # a layer that is shared by two parents stays one layer
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, _BatchNorm) and not isinstance(child, nn.SyncBatchNorm) and _trains(child):
                if id(child) not in made:
                    made[id(child)] = _convert(child, implementation)
                parent.add_module(name, made[id(child)])
    print_log(f"{len(made)} batch norms take their statistics from all processes", "current")
    return len(made)


def _trains(norm: _BatchNorm) -> bool:
    return not norm.affine or norm.weight.requires_grad


def _convert(norm: _BatchNorm, implementation: str) -> nn.Module:
    if implementation == "torch" and type(norm) in _PLAIN:
        return nn.SyncBatchNorm.convert_sync_batchnorm(norm)
    if implementation == "torch" and type(norm).__module__.startswith("timm."):
        from timm.layers import convert_sync_batchnorm  # slow to import, and no other model has such layers

        return convert_sync_batchnorm(norm)
    if implementation == "mmcv" and type(norm) in _PLAIN:
        return _mmcv(norm)
    raise ConfigError(f'sync_bn="{implementation}" knows no counterpart of {type(norm).__name__}')


def _mmcv(norm: _BatchNorm) -> nn.Module:
    from mmengine.model import convert_sync_batchnorm

    try:
        converted = convert_sync_batchnorm(norm, "mmcv")
    except ImportError as error:
        raise ConfigError(f'sync_bn="mmcv" needs an mmcv that was compiled ({error}): use sync_bn="torch"') from error
    return converted.train(norm.training)
