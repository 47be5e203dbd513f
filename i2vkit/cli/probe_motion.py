"""Probe how well motion encoders encode motion and hide identity.

Example: `i2v probe-motion dtgan_weizmann work_dirs/cnn_lstm_weizmann --prefix network.encoder`. Two linear probes are
fitted before any decoder is trained. The first is ridge regression on training clips, from the state at t to the change
of the grey 16x16 picture since frame 0. Its R^2 on the training and on the validation clips is printed. A decoder
cannot show motion that is not in the states. The second finds out which person of the validation set drives, by the
nearest centre. That should be near chance. The first row is the encoder with its initial weights: a training is worth
what it adds to that. Codes that a motion generator unrolls are probed behind it
(`--generator-prefix network.motion_generator` loads that, too).
"""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_config


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument(
        "checkpoints",
        nargs="*",
        metavar="[NAME=]CHECKPOINT",
        help="weights of the motion encoder, a file or a work dir for each row; without any only the untrained encoder",
    )
    parser.add_argument(
        "--prefix", default="generator.motion_encoder", help="prefix of these weights (default: %(default)s)"
    )
    parser.add_argument("--generator-prefix", help="prefix of the motion generator's weights, to load them too")
    parser.add_argument("--untrained-lstm", action="store_true", help="give the LSTM new weights, for comparison")


def run(arguments: Namespace) -> None:
    """Encode both sets with every encoder, fit the probes and print a row for each."""
    import torch

    from i2vkit.analysis.motion_probe import Trajectories, encode, format_probe
    from i2vkit.config.loading import load_config
    from i2vkit.engine.checkpoints import load_weights
    from i2vkit.registry import DATASETS, MODELS

    cfg = load_config(arguments.config, arguments.cfg_options, arguments.variant)
    torch.manual_seed(0)  # the untrained row is the same each time
    model = MODELS.build(cfg.model).eval()
    sets = [DATASETS.build(cfg[f"{use}_dataloader"].dataset) for use in ("train", "val")]

    def encode_sets() -> list[Trajectories]:
        return [encode(model, dataset) for dataset in sets]

    # The rows without weights come first, while the model has none.
    print(format_probe("untrained", *encode_sets()), flush=True)
    for entry in arguments.checkpoints:
        name, _, checkpoint = entry.rpartition("=")
        load_weights(model.get_part("generator.motion_encoder"), checkpoint, prefix=arguments.prefix)
        if arguments.generator_prefix:
            unrolls = model.get_part("generator.motion_generator")
            load_weights(unrolls, checkpoint, prefix=arguments.generator_prefix)
        if arguments.untrained_lstm:
            torch.manual_seed(0)
            model.get_part("generator.motion_encoder.lstm").reset_parameters()
        print(format_probe(name or checkpoint, *encode_sets()), flush=True)
