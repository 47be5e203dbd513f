"""How much of the picture's change a motion encoder's trajectory tells: a linear probe, fitted on training people.

`python tools/probe_motion.py dtgan_weizmann work_dirs/cnn_lstm_weizmann --prefix network.encoder`: ridge regression
from the trajectory at t to the change of the grey 16x16 picture since frame 0. Printed is R^2 on the training and on
the validation clips, the best of four regularisations by the latter. A decoder cannot show what is not in there.
"""

import torch
from einops import rearrange, reduce
from torch import Tensor

from i2vkit.apis.cli import parser, run_tool


def main() -> None:
    """Read the command line, encode both sets, fit and print."""
    options = parser(__doc__, config=True)
    options.add_argument("checkpoint", help="where the motion encoder's weights are: a file or a work dir")
    options.add_argument("--prefix", default="generator.motion_encoder", help="their prefix (default: %(default)s)")
    options.add_argument("--untrained-lstm", action="store_true", help="give the LSTM new weights, for comparison")
    arguments = options.parse_args()

    from i2vkit.apis.config import load_config
    from i2vkit.engine.checkpoints import load_weights
    from i2vkit.registry import DATASETS, MODELS

    cfg = load_config(arguments.config, arguments.cfg_options)
    model = MODELS.build(cfg.model).eval()
    encoder = model.generator.motion_encoder
    load_weights(encoder, arguments.checkpoint, prefix=arguments.prefix)
    if arguments.untrained_lstm:
        torch.manual_seed(0)
        encoder.lstm.reset_parameters()
    sets = [DATASETS.build(cfg[f"{use}_dataloader"].dataset) for use in ("train", "val")]
    (inputs, changes), (inputs_val, changes_val) = (encode(model, dataset) for dataset in sets)
    scale = inputs.std(dim=0) + 1e-6
    scores = [
        ridge(inputs / scale, changes, inputs_val / scale, changes_val, ridge_weight)
        for ridge_weight in (1e1, 1e2, 1e3, 1e4)
    ]
    train, val = max(scores, key=lambda pair: pair[1])
    print(f"R^2 of the change of the picture: training {train:.3f}, validation {val:.3f}")


@torch.no_grad()
def encode(model, dataset) -> tuple[Tensor, Tensor]:
    """Trajectories (N, D) and changes of the picture (N, 256), frame 1 and on, over a data set."""
    from i2vkit.models.layers import Stream

    trajectories, changes = [], []
    for index in range(len(dataset)):
        item = dataset[index]
        inputs = {name: [value] for name, value in item["inputs"].items()}
        clip = model.data_preprocessor(dict(inputs=inputs, data_samples=[item["data_samples"]]))["clip"]
        trajectories.append(model.generator.encode_motion(clip, Stream()).trajectory[0, 1:])
        grey = reduce(clip.source[0], "c t (h a) (w b) -> t h w", "mean", h=16, w=16)
        changes.append(rearrange(grey[1:] - grey[:1], "t h w -> t (h w)"))
    return torch.cat(trajectories), torch.cat(changes)


def ridge(
    inputs: Tensor, targets: Tensor, inputs_val: Tensor, targets_val: Tensor, weight: float
) -> tuple[float, float]:
    """R^2 (against no change) of a ridge regression on its own data and on others."""
    kernel = inputs @ inputs.T + weight * torch.eye(len(inputs))
    solution = inputs.T @ torch.linalg.solve(kernel, targets)

    def score(x: Tensor, y: Tensor) -> float:
        return (1 - (x @ solution - y).square().sum() / y.square().sum()).item()

    return score(inputs, targets), score(inputs_val, targets_val)


if __name__ == "__main__":
    run_tool(main)
