"""What mmengine lacks: optimisers by phase, safe checkpoints, exact resuming, several processes.

Importing this package registers all of it; the registries do so themselves.
"""

from i2vkit.engine import checkpoints, distributed, hooks, optimizers, saving

__all__ = ["checkpoints", "distributed", "hooks", "optimizers", "saving"]
