"""Export a generator: `i2v export dtgan_oulu iter_1000.pth --out dtgan.safetensors`.

The file carries its config, so that `i2v animate --model dtgan.safetensors` needs nothing else.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from i2vkit.cli.common import add_config
from i2vkit.cli.values import output_file

SUFFIXES = {"safetensors": ".safetensors", "pt2": ".pt2", "onnx": ".onnx"}


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument(
        "checkpoint", help=".pth of training or a work dir; if it has averaged weights, these are exported"
    )
    parser.add_argument(
        "--out", required=True, type=output_file, metavar="FILE", help="file to write: .safetensors, .pt2 or .onnx"
    )
    parser.add_argument(
        "--format",
        choices=list(SUFFIXES),
        help="safetensors with weights and config; pt2, a program of torch.export; or onnx (default: by the suffix of "
        "--out)",
    )
    parser.add_argument("--frames", type=int, help="for pt2 and onnx: length of the videos (default: that of training)")
    parser.add_argument(
        "--dtype",
        choices=["float32", "bfloat16"],
        default="float32",
        help="type of the weights; bfloat16 halves the file, which is still loaded in fp32 (default: %(default)s)",
    )


def run(arguments: Namespace) -> None:
    """Write the generator."""
    from i2vkit.config.loading import load_config
    from i2vkit.errors import ConfigError

    kind = arguments.format or next(
        (name for name, suffix in SUFFIXES.items() if Path(arguments.out).suffix == suffix), "safetensors"
    )
    cfg = load_config(arguments.config, arguments.cfg_options, arguments.variant)
    if kind == "safetensors":
        from i2vkit.zoo.saving import export_weights

        if arguments.frames is not None:
            raise ConfigError("weights make videos of any length that the model can: leave --frames away")
        header = export_weights(cfg, arguments.checkpoint, arguments.out, arguments.dtype)
        print(f"{arguments.out}: generator of {header['config']}, sha256 of its weights {header['sha256']}")
        return
    from i2vkit.zoo.programs import export_program

    if arguments.dtype != "float32":
        raise ConfigError(f"a program ({kind}) is exported in float32: leave --dtype away")
    inputs = export_program(cfg, arguments.checkpoint, arguments.out, kind, arguments.frames)
    print(f"{arguments.out}: generator of {Path(cfg.filename).stem}, which takes {inputs}")
