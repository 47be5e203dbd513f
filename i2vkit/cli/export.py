"""Export a generator: `i2v export dtgan_oulu iter_1000.pth --out dtgan.safetensors`."""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_config


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument("checkpoint", help=".pth of training; its averaged weights, if it has such, are taken")
    parser.add_argument("--out", required=True, metavar="FILE.safetensors", help="what to write")
    parser.add_argument(
        "--dtype",
        choices=["float32", "bfloat16"],
        default="float32",
        help="of the weights; bfloat16: half the size, loaded in fp32 as ever (default: %(default)s)",
    )


def run(arguments: Namespace) -> None:
    """Write the weights of the generator, and those alone."""
    from i2vkit.config.data_facts import fill_in_stored_facts
    from i2vkit.config.loading import load_config
    from i2vkit.models.generator_weights import export_generator, load_generator
    from i2vkit.registry import MODELS

    cfg = load_config(arguments.config, arguments.cfg_options, arguments.variant)
    fill_in_stored_facts(cfg, arguments.checkpoint)
    model = MODELS.build(cfg.model)
    load_generator(model, arguments.checkpoint)
    header = export_generator(model, cfg, arguments.out, arguments.dtype)
    print(f"{arguments.out}: generator of {header['config']}, sha256 of its weights {header['sha256']}")
