"""Extensions of mmengine: optimisers by phase, safe checkpoints, exact resuming, several processes.

Importing this package registers all of them. The registries import it by themselves.
"""

from i2vkit.engine import checkpoints, distributed, hooks, optimizers, saving

__all__ = ["checkpoints", "distributed", "hooks", "optimizers", "saving"]
