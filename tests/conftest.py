"""What all tests share."""

import logging

import pytest
import torch
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer


@pytest.fixture(autouse=True)
def same_random_numbers():
    """Every test starts from the same random state and settings of PyTorch, whatever ran before it."""
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = False  # a Runner switches it on and leaves it so


@pytest.fixture(autouse=True)
def closed_logs():
    """Close the log files of runners, which mmengine leaves to the garbage collector."""
    yield
    for logger in list(MMLogger._instance_dict.values()):
        for handler in list(logger.handlers):
            if isinstance(handler, logging.FileHandler):
                handler.close()
                logger.removeHandler(handler)
    # Runners are named by the second they start in: two of one second would be taken for one.
    for kind in (DefaultScope, MessageHub, MMLogger, Visualizer):
        kind._instance_dict.clear()
