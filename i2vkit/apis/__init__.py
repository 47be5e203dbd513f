"""The functions and classes that ``tools/`` and a notebook call.

    from i2vkit.apis import I2VInferencer, load_config
    from i2vkit.evaluation.run import test
    from i2vkit.apis.train import train

Each is imported on first use, so that ``tools/*.py --help`` need not wait for torch.
"""

from importlib import import_module

__all__ = ["Animation", "I2VInferencer", "load_config", "profile_model"]
_HOMES = {
    "Animation": "i2vkit.apis.animation",
    "I2VInferencer": "i2vkit.apis.inferencer",
    "load_config": "i2vkit.config.loading",
    "profile_model": "i2vkit.analysis.profile",
}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
