"""What ``tools/`` and a notebook call.

    from i2vkit.apis import I2VInferencer, load_config
    from i2vkit.apis.test import test
    from i2vkit.apis.train import train

Each is imported when it is first asked for, so that ``tools/*.py --help`` need not wait for torch.
"""

from importlib import import_module

__all__ = ["Animation", "I2VInferencer", "load_config", "profile_model"]
_HOMES = dict(Animation="inferencer", I2VInferencer="inferencer", load_config="config", profile_model="profile")


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
