"""Measure motion transfer against exact ground truth, on i2v-truth-v1.

The set is described in docs/truth_benchmark.md. First `i2v truth-benchmark prepare`, then `i2v truth-benchmark score
CONFIG CHECKPOINT`.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from i2vkit.cli.common import add_command
from i2vkit.cli.values import output_folder, output_folder_path

DATA, PARTS = Path("data/i2v_truth_v1"), ("faces", "figures")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    make = add_command(commands, "prepare", "render and prepare the set, and check it against its checksums")
    make.add_argument("--out", type=output_folder_path, default=DATA, help="its folder (default: %(default)s)")
    make.add_argument(
        "--extra-people",
        type=int,
        metavar="NUMBER",
        help="also render this number of people to train on, apart from the set (faces_extra, figures_extra)",
    )
    make.add_argument("--workers", type=int, help="processes (default: one a core)")
    model = add_command(commands, "score", "score a model beside the static baselines and the upper bound", config=True)
    model.add_argument("checkpoint", help=".pth of training or .safetensors of tools/export.py")
    model.add_argument(
        "--out", type=output_folder, help="folder of the results (default: work_dirs/<config>/truth/<part>_<split>)"
    )
    model.add_argument("--save-videos", action="store_true", help="write the generated videos and strips of them")
    model.add_argument("--part", choices=PARTS, help="part of the set (default: the one that the config trains on)")
    rank = add_command(commands, "rank", "score videos that no model made, from the ground truth to the worst")
    rank.add_argument("--part", choices=PARTS, required=True, help="part of the set")
    for command in (model, rank):
        command.add_argument("--split", choices=("test", "val"), default="test", help="(default: %(default)s)")
        command.add_argument("--data", type=Path, default=DATA, help="the set (default: %(default)s)")


def run(arguments: Namespace) -> None:
    """Prepare the set, or score a model or the reference methods, and print a summary or a table."""
    print({"prepare": prepare, "score": score, "rank": rank_methods}[arguments.command](arguments))


def prepare(arguments: Namespace) -> str:
    """Make the set, and more people to train on with ``--extra-people``. Return a summary."""
    from i2vkit.preparation.i2v_truth import make_extra_people, make_i2v_truth

    summary = make_i2v_truth(arguments.out, arguments.workers)
    if arguments.extra_people is None:
        return summary
    return f"{summary}\n{make_extra_people(arguments.out, arguments.extra_people, arguments.workers)}"


def score(arguments: Namespace) -> str:
    """Score a model. Return a table, and the intervals of its scores."""
    from i2vkit.analysis.truth_benchmark import format_intervals, format_ranking, score_truth
    from i2vkit.config.loading import load_config

    result = score_truth(
        load_config(arguments.config, arguments.cfg_options, arguments.variant),
        arguments.checkpoint,
        arguments.part,
        arguments.split,
        arguments.out,
        arguments.data,
        arguments.cfg_options,
        arguments.save_videos,
    )
    table = format_ranking({result["config"]: result, **result["references"]})
    return "\n\n".join(filter(None, (table, format_intervals(result["intervals"]))))


def rank_methods(arguments: Namespace) -> str:
    """Score all reference methods. Return a table."""
    from i2vkit.analysis.truth_benchmark import format_ranking, rank

    return format_ranking(rank(arguments.part, arguments.split, arguments.data))
