"""Recurrent layers stay out of compiled graphs."""

import torch

# What torch.compile says of the break that it makes here, the only one in a generator. PyTorch 2.14 unrolls an LSTM on
# CUDA: the graph of one layer has 98 operations for 4 steps, and 338 for 16.
REASON = "cuDNN runs all steps of a recurrent layer in one call, a compiled graph would unroll them"

# Decorates the one method of a part that calls its recurrent layer.
outside_graphs = torch.compiler.disable(reason=REASON)
