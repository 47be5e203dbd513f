"""Short functions that the files of ``i2v source`` need, as text."""

HELPERS: dict[str, str] = {
    "RandomState": '''class RandomState:
    """The random numbers of a batch of clips.

    Args:
        batch: Number of clips B.
        device: Device of the numbers.
    """

    def __init__(self, batch, device):
        self.batch, self.device = batch, device

    def normal(self, *shape):
        """Return standard normal numbers (B, *shape)."""
        return torch.randn(self.batch, *shape, device=self.device)

    def uniform(self, *shape):
        """Return numbers (B, *shape), uniform in [0, 1)."""
        return torch.rand(self.batch, *shape, device=self.device)''',
    "all_frames": '''def all_frames(video):
    """Return all frames (B T, C, H, W) of a video (B, C, T, H, W), clip after clip."""
    return rearrange(video, "b c t h w -> (b t) c h w")''',
    "draw_frames": '''def draw_frames(video, number):
    """Draw ``number`` frames of each clip, as indices (B, number)."""
    return (torch.rand(len(video), number, device=video.device) * video.shape[2]).long()''',
    "frames_at": '''def frames_at(video, index):
    """Return the frames (B K, C, H, W) of a video (B, C, T, H, W) at indices (B, K)."""
    rows = torch.arange(len(video), device=video.device)[:, None]
    return video.transpose(1, 2)[rows, index].flatten(0, 1)''',
    "draw_window": '''def draw_window(video, length):
    """Draw ``length`` successive frames of each clip, as indices (B, length)."""
    start = (torch.rand(len(video), device=video.device) * (video.shape[2] - length + 1)).long()
    return start[:, None] + torch.arange(length, device=video.device)''',
    "windows_at": '''def windows_at(video, index):
    """Return the windows (B, C, K, H, W) of a video (B, C, T, H, W) at indices (B, K)."""
    rows = torch.arange(len(video), device=video.device)[:, None]
    return video.transpose(1, 2)[rows, index].transpose(1, 2)''',
    "wrong_labels": '''def wrong_labels(label, num_labels):
    """Return for every label (B,) another one, drawn evenly from the others."""
    return (label + torch.randint(1, num_labels, label.shape, device=label.device)) % num_labels''',
    "gradient_penalty": '''def gradient_penalty(network, real, fake, real_maps, fake_maps):
    """Return E[(|dD/dx| - 1)^2] at random points between real and generated samples (Gulrajani et al., 2017).

    The gradient is by the samples and by their condition maps, if there are any.
    """
    mix = torch.rand(len(real), *[1] * (real.dim() - 1), device=real.device)
    inputs = [(mix * real + (1 - mix) * fake).requires_grad_()]
    if real_maps is not None:
        inputs.append((mix * real_maps + (1 - mix) * fake_maps).requires_grad_())
    scores = network(inputs[0], maps=inputs[1] if len(inputs) > 1 else None)
    total = scores.reshape(len(real), -1).mean(dim=1).sum()  # the mean where a sample has several scores
    gradients = torch.autograd.grad(total, inputs, create_graph=True)
    squares = sum(gradient.flatten(1).square().sum(dim=1) for gradient in gradients)  # (B,)
    return ((squares + 1e-12).sqrt() - 1).square().mean()  # the root of 0 has no gradient''',
    "schedule": '''def schedule(iteration, pairs):
    """Return the weight at an iteration: linear between pairs (iteration, weight), and constant outside of them."""
    before = [pair for pair in pairs if pair[0] <= iteration]
    after = [pair for pair in pairs if pair[0] > iteration]
    if not before or not after:
        return (before[-1] if before else after[0])[1]
    (start, low), (end, high) = before[-1], after[0]
    return low + (high - low) * (iteration - start) / (end - start)''',
}

IMPORTS = {
    "rearrange": "from einops import rearrange",
    "replace": "from dataclasses import replace",
    "functional": "from torch.nn import functional",
    "parametrize": "from torch.nn.utils import parametrize",
}


def format_number(value: float) -> str:
    """Return a number as it is written in a formula.

    >>> format_number(10.0), format_number(0.005), format_number(1e-4)
    ('10', '0.005', '0.0001')
    """
    return str(int(value)) if float(value).is_integer() else repr(value) if value >= 1e-4 else f"{value:g}"
