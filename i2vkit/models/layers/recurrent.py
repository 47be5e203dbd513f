"""A decorator that keeps recurrent layers out of compiled graphs."""

import torch

# The reason that torch.compile reports for the graph break here, the only one in a generator. PyTorch 2.14 unrolls an
# LSTM on CUDA: the graph of one layer has 98 operations for 4 steps, and 338 for 16.
REASON = "cuDNN runs all steps of a recurrent layer in one call, a compiled graph would unroll them"

# A decorator of the one method of a part that calls its recurrent layer.
outside_graphs = torch.compiler.disable(reason=REASON)
