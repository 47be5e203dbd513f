"""Measure how fast the toolkit is compared with plain code: `i2v benchmark data dtgan_weizmann`."""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from i2vkit.cli.common import add_command
from i2vkit.cli.values import output_file_path

if TYPE_CHECKING:
    from mmengine.config import Config


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    commands = parser.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")

    data = add_command(commands, "data", "clips a second of the training data", config=True)
    data.add_argument("--steps", type=int, default=0, help="training steps to run, to find out how long they wait")
    data.add_argument("--loaders", action="store_true", help="compare loaders instead: workers, pinned memory, caches")
    data.add_argument("--device", default="cpu", choices=["cpu", "cuda"], help="for --loaders (default: %(default)s)")

    decoder = add_command(
        commands, "decoder", "a generator compared with its reference form, forward and backward", config=True
    )
    decoder.add_argument("--against", metavar="CONFIG", help="another decoder to compare with (imaginator_mug_3d)")
    decoder.add_argument("--frames", type=int, help="length of a clip (default: the config's)")
    decoder.add_argument("--step", action="store_true", help="measure the whole training step too")
    step = add_command(commands, "step", "a whole training step", config=True)

    maps = add_command(commands, "maps", "condition maps of faces, fitted and drawn")
    maps.add_argument("--size", type=int, default=96, help="side in pixels (default: %(default)s)")

    index = add_command(commands, "index", "the listing of a large folder of clips, anew and from the kept facts")
    index.add_argument("--clips", type=int, default=100_000, help="clips of the made-up folder (default: %(default)s)")
    index.add_argument("--kind", choices=["videos", "images"], default="videos", help="default: %(default)s")

    for command in (decoder, step):
        command.add_argument(
            "--batch", type=int, help="clips in a batch (default: 4, or 8 single frames, or 1 clip of many frames)"
        )
        command.add_argument("--device", default="cpu", choices=["cpu", "cuda"], help="default: %(default)s")
        command.add_argument(
            "--precision",
            nargs="+",
            choices=["fp32", "tf32", "bf16"],
            help="precisions to measure besides fp32, in which the forms must agree; tf32 needs a GPU (default: all "
            "for a decoder, none for a step)",
        )
        command.add_argument(
            "--compile", action="store_true", help="measure torch.compile too, in the last of the precisions"
        )
    for command in commands.choices.values():
        if command is not index:
            command.add_argument(
                "--seconds", type=float, default=10.0, help="seconds to measure each for (default: %(default)s)"
            )
        command.add_argument(
            "--out", "--json", type=output_file_path, metavar="FILE", help="write the numbers to a JSON file too"
        )


def run(arguments: Namespace) -> None:
    """Run the benchmark, print its numbers and write them with ``--out``."""
    from i2vkit.config.loading import load_config
    from i2vkit.media import atomic_path

    cfg = load_config(arguments.config, arguments.cfg_options, arguments.variant) if "config" in arguments else None
    text, result = _measure(arguments, cfg)
    print(text)
    if arguments.out:
        with atomic_path(arguments.out) as temporary:
            temporary.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _measure(arguments: Namespace, cfg: Config | None) -> tuple[str, dict]:
    """Run the chosen benchmark, and return its numbers as text and as a dict for JSON."""
    from i2vkit.analysis.benchmark import condition_maps as maps
    from i2vkit.analysis.benchmark import data, decoder, indexing, loaders, step
    from i2vkit.config.loading import load_config

    if arguments.benchmark == "maps":
        result = maps.benchmark_maps(arguments.seconds, arguments.size)
        return maps.format_maps(result), result
    if arguments.benchmark == "index":
        result = indexing.benchmark_index(arguments.clips, arguments.kind)
        return indexing.format_index(result), result
    if arguments.benchmark == "data" and arguments.loaders:
        result = loaders.benchmark_loaders(cfg, arguments.seconds, arguments.device)
        return loaders.format_loaders(result), result
    if arguments.benchmark == "data":
        result = data.benchmark_data(cfg, arguments.seconds, arguments.steps)
        return data.format_data(result), result
    shared = dict(seconds=arguments.seconds, batch=arguments.batch, device=arguments.device, compiled=arguments.compile)
    of_step = shared | {"precisions": arguments.precision or ["fp32"]}
    if arguments.benchmark == "step":
        result = step.benchmark_step(cfg, **of_step)
        return step.format_step(result), result
    against = load_config(arguments.against) if arguments.against else None
    result = decoder.benchmark_decoder(
        cfg, against=against, frames=arguments.frames, precisions=arguments.precision, **shared
    )
    if not arguments.step:
        return decoder.format_decoder(result), result
    stepped = step.benchmark_step(cfg, **of_step)
    return f"{decoder.format_decoder(result)}\n\n{step.format_step(stepped)}", result | {"whole_step": stepped}
