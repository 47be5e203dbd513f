"""Count the costs of models in one table: `i2v flops dtgan_oulu imaginator_mug --frames 32 --by-part`."""

import json
from argparse import ArgumentParser, Namespace

from i2vkit.cli.common import add_config
from i2vkit.cli.values import output_file


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser, several=True)
    parser.add_argument(
        "--frames",
        type=int,
        help="length of the video (default: 16 or the next length that the model makes, in training the config's)",
    )
    parser.add_argument("--size", type=int, help="side of the frames in pixels (default: the config's)")
    parser.add_argument("--by-part", action="store_true", help="every part of the generator and every phase too")
    parser.add_argument("--training", action="store_true", help="a training step of two clips too, all its phases")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="a training step with the config's own batch, without computing it: its memory within seconds, without a "
        "GPU",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        metavar="TFLOPS",
        help="with --dry-run, estimate the minutes of the whole training on a GPU that computes so many 10^12 "
        "operations a second (an H100 in TF32: about 90)",
    )
    parser.add_argument("--clips", type=int, help="number of clips in the step of --dry-run (default: the config's)")
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="write the numbers to a file too, always by part"
    )
    parser.add_argument(
        "--headers",
        choices=("check", "write"),
        help="compare the memory of a step in the configs' headers with a dry run, or write it there; 'all' means "
        "every config of i2vkit",
    )


def run(arguments: Namespace) -> None:
    """Print the table, and write it with ``--json``."""
    from i2vkit.analysis.profile import check_headers, format_profiles, profile_config, profile_dry_run, profile_record
    from i2vkit.analysis.profile.duration import format_minutes
    from i2vkit.config.finding import experiment_names
    from i2vkit.config.loading import load_config
    from i2vkit.errors import ConfigError
    from i2vkit.media import atomic_path

    if arguments.minutes is not None and not arguments.dry_run:
        raise ConfigError("--minutes counts the config's own step: give --dry-run too")
    if arguments.headers:
        names = experiment_names() if arguments.configs == ["all"] else arguments.configs
        check_headers(names, write=arguments.headers == "write")
        return

    changes = dict(arguments.cfg_options or {})
    if arguments.size is not None:
        changes["model.image_size"] = arguments.size
    configs = {name: load_config(name, changes, arguments.variant) for name in arguments.configs}
    frames = arguments.frames
    if arguments.dry_run:
        profiles = [profile_dry_run(cfg, name, frames, arguments.clips) for name, cfg in configs.items()]
    else:
        profiles = [profile_config(cfg, name, frames, arguments.training) for name, cfg in configs.items()]
    print(format_profiles(profiles, arguments.by_part))
    if arguments.minutes is not None:
        for cfg, profile in zip(configs.values(), profiles, strict=True):
            print(format_minutes(cfg, profile, arguments.minutes))
    if arguments.json:
        with atomic_path(arguments.json) as temporary:
            temporary.write_text(json.dumps(profile_record(profiles), indent=1) + "\n")
