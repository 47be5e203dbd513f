"""Convert weights of the papers' authors: `i2v convert imaginator mug.pth --out imaginator.safetensors`.

`i2v convert frgan checkpoint_0020.pth.tar --out frgan.pth` converts a checkpoint of FRGAN's released training of stage
one. A .safetensors file carries its config, for `i2v animate --model FILE`. A .pth is a checkpoint of the config.
"""

from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_command, add_config_options, config_help
from i2vkit.cli.values import output_file

CONFIGS = {"imaginator": "imaginator_mug_released_code", "frgan": "frgan_forecast_mug"}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    commands = parser.add_subparsers(dest="model", required=True, metavar="MODEL")
    imaginator = add_command(commands, "imaginator", "ImaGINator's generator, and its discriminators if they are given")
    frgan = add_command(commands, "frgan", "FRGAN's forecasting network (stage one) and its discriminator")
    for name, command in (("imaginator", imaginator), ("frgan", frgan)):
        command.add_argument("file", help="the released weights")
        command.add_argument(
            "--out", required=True, type=output_file, metavar="FILE", help="file to write: .safetensors or .pth"
        )
        command.add_argument("--config", default=CONFIGS[name], help=f"{config_help()} (default: %(default)s)")
        add_config_options(command)
    imaginator.add_argument("--video-discriminator", metavar="FILE", help="weights of D_V too, for a .pth")
    imaginator.add_argument("--image-discriminator", metavar="FILE", help="weights of D_I too, for a .pth")
    imaginator.add_argument(
        "--labels",
        nargs="+",
        metavar="LABEL",
        help="labels of the weights in the order of their class indices (default: sadness anger surprise disgust "
        "happiness fear, those of mug.pth)",
    )


def run(arguments: Namespace) -> None:
    """Convert the weights and print their facts."""
    from i2vkit.config.loading import load_config
    from i2vkit.zoo.released import convert_frgan, convert_imaginator
    from i2vkit.zoo.released.converting import IMAGINATOR_LABELS

    cfg = load_config(arguments.config, arguments.cfg_options, arguments.variant)
    if arguments.model == "frgan":
        facts = convert_frgan(cfg, arguments.file, arguments.out)
    else:
        facts = convert_imaginator(
            cfg,
            arguments.file,
            arguments.out,
            arguments.video_discriminator,
            arguments.image_discriminator,
            arguments.labels or IMAGINATOR_LABELS,
        )
    print(f"{arguments.out}: weights of {arguments.config} from {facts['converted_from']}, sha256 {facts['sha256']}")
