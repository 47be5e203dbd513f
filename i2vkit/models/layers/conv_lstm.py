"""A recurrent layer on maps."""

import torch
from torch import Tensor, nn


class ConvLstm(nn.Module):
    """An LSTM whose gates are one convolution of [input, hidden state] (Shi et al., 2015), with a forget bias of 1.

    Args:
        in_channels: Channels of the input.
        hidden: Channels of the hidden state and of the cell state.
        kernel: Side of the convolution's kernel, odd.

    Examples:
        >>> outputs, state = ConvLstm(3, 4)(torch.zeros(2, 5, 3, 8, 8))
        >>> outputs.shape, state[1].shape
        (torch.Size([2, 5, 4, 8, 8]), torch.Size([2, 4, 8, 8]))
    """

    def __init__(self, in_channels: int, hidden: int, kernel: int = 3):
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Conv2d(in_channels + hidden, 4 * hidden, kernel, padding=kernel // 2)

    def forward(
        self, steps: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Return hidden states (B, T, hidden, H, W) for steps (B, T, C, H, W), and hidden and cell state at the end.

        Args:
            steps: The inputs.
            state: Hidden and cell state (B, hidden, H, W) before the first step; 0 by default.
        """
        if state is None:
            zero = steps.new_zeros(len(steps), self.hidden, *steps.shape[3:])
            state = zero, zero
        hidden, cell = state
        outputs = []
        for step in steps.unbind(dim=1):
            # (B, C + hidden, H, W) -> four gates (B, hidden, H, W)
            enter, candidate, forget, leave = self.gates(torch.cat([step, hidden], dim=1)).chunk(4, dim=1)
            cell = torch.sigmoid(forget + 1) * cell + torch.sigmoid(enter) * torch.tanh(candidate)
            hidden = torch.sigmoid(leave) * torch.tanh(cell)
            outputs.append(hidden)
        return torch.stack(outputs, dim=1), (hidden, cell)
