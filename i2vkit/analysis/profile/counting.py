"""Counts of multiply-adds and activations by fvcore, with handlers for operations that fvcore does not know."""

from __future__ import annotations

import warnings
from math import prod

from torch import Tensor, nn

with warnings.catch_warnings():
    # On import fvcore compiles a loss with torch.jit.script, which torch has deprecated.
    warnings.simplefilter("ignore", FutureWarning)
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis
    from fvcore.nn.jit_analysis import JitModelAnalysis
    from fvcore.nn.jit_handles import generic_activation_jit, get_shape


def matrix_product_macs(inputs: list, outputs: list) -> int:
    """Return the multiply-adds of a product of matrices or vectors, also broadcast: outputs x length of the sums."""
    return prod(get_shape(outputs[0])) * get_shape(inputs[0])[-1]


def added_product_macs(inputs: list, outputs: list) -> int:
    """Return the multiply-adds of ``baddbmm``, a product that is added to its first input."""
    return prod(get_shape(outputs[0])) * get_shape(inputs[1])[-1]


def recurrent_macs(inputs: list, outputs: list) -> int:
    """Return the multiply-adds of ``lstm``, ``gru`` and ``rnn``: steps x the total size of the weight matrices.

    Every weight matrix (input to gates, state to gates, projection, for all layers and directions) is multiplied by one
    vector in each step. Gates and biases are not counted, as fvcore does not count them elsewhere.
    """
    # The last list of tensors among the inputs contains the parameters. The one before it, if any, is the state.
    lists = [value for value in inputs if value.node().kind() == "prim::ListConstruct"]
    shapes = [get_shape(parameter) for parameter in lists[-1].node().inputs()]
    # Time steps x batch: every vector of the sequence is one step.
    steps = prod(get_shape(inputs[0])[:-1])
    return steps * sum(prod(shape) for shape in shapes if len(shape) == 2)


def cell_macs(inputs: list, outputs: list) -> int:
    """Return the multiply-adds of one step of ``lstm_cell`` or ``gru_cell``."""
    batch = prod(get_shape(inputs[0])[:-1])
    return batch * sum(prod(get_shape(weight)) for weight in inputs[2:4])


def attention_macs(inputs: list, outputs: list) -> int:
    """Return the multiply-adds of ``scaled_dot_product_attention``.

    Shapes: query (..., L, D), key (..., S, D), value (..., S, V).
    """
    query, key, value = (get_shape(x) for x in inputs[:3])
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


def multi_head_attention_macs(inputs: list, outputs: list) -> int:
    """Return the multiply-adds of ``_native_multi_head_attention``, the form of ``nn.MultiheadAttention`` in eval mode.

    With a query (B, L, D), a key and a value (B, S, D) these are four projections and the two products of the
    attention.
    """
    (batch, length, width), (_, seen, _) = get_shape(inputs[0]), get_shape(inputs[1])
    return batch * (2 * (length + seen) * width**2 + 2 * length * seen * width)


# fvcore's own handler of matmul ignores broadcasting, and fvcore has no handlers for the others.
HANDLERS = {
    **dict.fromkeys((f"aten::{name}" for name in ("mm", "bmm", "matmul", "mv", "dot", "vdot")), matrix_product_macs),
    "aten::baddbmm": added_product_macs,
    **dict.fromkeys(("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::rnn_relu"), recurrent_macs),
    **dict.fromkeys(("aten::lstm_cell", "aten::gru_cell"), cell_macs),
    "aten::scaled_dot_product_attention": attention_macs,
    "aten::_native_multi_head_attention": multi_head_attention_macs,
}


def analyse(module: nn.Module, inputs: tuple[Tensor, ...]) -> FlopCountAnalysis:
    """Return fvcore's analysis of the multiply-adds of ``module(*inputs)`` (tensors in and out), without warnings."""
    return _quiet(FlopCountAnalysis(module, inputs).set_op_handle(**HANDLERS))


def analyse_activations(module: nn.Module, inputs: tuple[Tensor, ...]) -> ActivationCountAnalysis:
    """Return the analysis of activations: values that convolutions, products, recurrent layers and attention output."""
    handlers = dict.fromkeys(HANDLERS, generic_activation_jit())
    return _quiet(ActivationCountAnalysis(module, inputs).set_op_handle(**handlers))


def _quiet(analysis: JitModelAnalysis) -> JitModelAnalysis:
    # Operations that are not counted are listed with the result, so fvcore need not warn about them.
    """Switch off the warnings of an analysis."""
    return analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
