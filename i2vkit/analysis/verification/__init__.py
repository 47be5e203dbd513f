"""Verification of a machine in one run: correctness, speed and training on a GPU, for ``verify_gpu``.

``stages`` defines the stages, their order and their shares of the time. ``scheduling`` runs each stage in a process of
its own, so that one failure costs one stage. The other modules are the stages themselves.
"""

from i2vkit.analysis.verification.scheduling import verify

__all__ = ["verify"]
