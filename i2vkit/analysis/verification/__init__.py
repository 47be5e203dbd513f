"""One run that tells whether the toolkit is right and fast on a GPU machine, and that trains on it: verify_gpu.

``stages`` says what is done, in which order and in which share of the time; ``scheduling`` runs each stage in a process
of its own, so that one failure costs one stage; the other modules are the stages themselves.
"""

from i2vkit.analysis.verification.scheduling import verify

__all__ = ["verify"]
