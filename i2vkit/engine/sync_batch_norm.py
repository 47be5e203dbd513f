"""Batch norms whose statistics are those of all processes together."""

from __future__ import annotations

from mmengine.logging import print_log
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from i2vkit.errors import ConfigError

IMPLEMENTATIONS = ("torch", "mmcv")
_PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


def convert_batch_norms_(model: nn.Module, implementation: str = "torch") -> int:
    """Put a synchronised batch norm in the place of every batch norm that trains; return their number.

    Weights, statistics and their names stay, so that checkpoints fit either way. Batch norms of frozen parts keep their
    own statistics, and stay as they are. mmengine's function of this kind would take the activation away from timm's
    layers, which are batch norm and activation in one.

    Args:
        model: changed in place. It then trains on GPUs only: neither implementation has a kernel for CPUs.
        implementation: "torch" (``torch.nn.SyncBatchNorm``), or "mmcv" (of ``mmcv.ops``, where mmcv was compiled).

    Raises:
        ConfigError: for an implementation that is not there, and a kind of batch norm that is not known.
    """
    if implementation not in IMPLEMENTATIONS:
        raise ConfigError(f'sync_bn is "torch" or "mmcv", not {implementation!r}')
    made: dict[int, nn.Module] = {}  # a layer that stands in two places stays one
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
