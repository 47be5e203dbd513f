"""Probe how well a motion encoder encodes motion and hides identity.

Example: `i2v probe-motion dtgan_weizmann work_dirs/cnn_lstm_weizmann --prefix network.encoder`. Two linear probes are
fitted before any decoder is trained. The first is ridge regression on training clips, from the state at t to the change
of the grey 16x16 picture since frame 0. Its R^2 on the training and on the validation clips is printed. A decoder
cannot show motion that is not in the states. The second finds out which person of the validation set drives, by the
nearest centre. That should be near chance. Codes that a motion generator unrolls are probed behind it
(`--generator-prefix network.motion_generator` loads that, too).
"""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_config


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument("checkpoint", help="the motion encoder's weights: a file or a work dir")
    parser.add_argument(
        "--prefix", default="generator.motion_encoder", help="prefix of these weights (default: %(default)s)"
    )
    parser.add_argument("--generator-prefix", help="prefix of the motion generator's weights, to load them too")
    parser.add_argument("--untrained-lstm", action="store_true", help="give the LSTM new weights, for comparison")


def run(arguments: Namespace) -> None:
    """Encode both sets, fit the probes and print the results."""
    import torch

    from i2vkit.analysis.motion_probe import change_probe_r2, encode, person_probe_accuracy
    from i2vkit.config.loading import load_config
    from i2vkit.engine.checkpoints import load_weights
    from i2vkit.registry import DATASETS, MODELS

    cfg = load_config(arguments.config, arguments.cfg_options, arguments.variant)
    model = MODELS.build(cfg.model).eval()
    load_weights(model.get_part("generator.motion_encoder"), arguments.checkpoint, prefix=arguments.prefix)
    if arguments.generator_prefix:
        unrolls = model.get_part("generator.motion_generator")
        load_weights(unrolls, arguments.checkpoint, prefix=arguments.generator_prefix)
    if arguments.untrained_lstm:
        torch.manual_seed(0)
        model.get_part("generator.motion_encoder.lstm").reset_parameters()
    train, val = (encode(model, DATASETS.build(cfg[f"{use}_dataloader"].dataset)) for use in ("train", "val"))
    r2, r2_val = change_probe_r2(train, val)
    print(f"R^2 of the change of the picture: training {r2:.3f}, validation {r2_val:.3f}")
    right, chance = person_probe_accuracy(train, val)
    if right == right:
        print(f"Who drives, by the nearest centre: {right:.2f} right, chance {chance:.2f} ({len(val.people)} clips)")
    else:
        print("Who drives: needs at least two validation people with two labels each")
