"""Measure motion transfer against exact ground truth, on i2v-truth-v1.

The set is described in docs/truth_benchmark.md. First `i2v truth-benchmark prepare`, then `i2v truth-benchmark score
CONFIG CHECKPOINT`.
"""

from argparse import Action, ArgumentError, ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from i2vkit.cli.common import add_command
from i2vkit.cli.values import output_file_path, output_folder, output_folder_path

DATA, PARTS = Path("data/i2v_truth_v1"), ("faces", "figures")
METRICS = Path("work_dirs/metrics_and_motion")


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
    metrics = add_command(
        commands, "metrics", "show which video metrics see motion, by known degradations of the truth"
    )
    metrics.add_argument("--part", choices=PARTS, nargs="+", default=PARTS, help="parts of the set (default: both)")
    metrics.add_argument("--seed", type=int, default=0, help="seed of noise and order (default: %(default)s)")
    metrics.add_argument(
        "--weights",
        nargs="+",
        action=WeightFiles,
        metavar="NAME=FILE",
        help="weights of lpips (AlexNet), video_fid and fvd, which are left out without theirs (default: "
        "data/extractors)",
    )
    metrics.add_argument(
        "--out", type=output_folder_path, default=METRICS, help="folder of the results (default: %(default)s)"
    )
    metrics.add_argument(
        "--page",
        type=output_file_path,
        metavar="FILE",
        help="score nothing, but write the tables of the results in --out into this page",
    )
    for command in (model, rank):
        command.add_argument("--split", choices=("test", "val"), default="test", help="(default: %(default)s)")
    for command in (model, rank, metrics):
        command.add_argument("--data", type=Path, default=DATA, help="the set (default: %(default)s)")


def run(arguments: Namespace) -> None:
    """Prepare the set, or score a model, the reference methods or metrics, and print a summary or tables."""
    commands = {"prepare": prepare, "score": score, "rank": rank_methods, "metrics": metrics_and_motion}
    print(commands[arguments.command](arguments))


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


def metrics_and_motion(arguments: Namespace) -> str:
    """Score degradations by all metrics and return tables, or write the results into a page and return its path."""
    from i2vkit.analysis.metrics_and_motion.report import format_result, write_page
    from i2vkit.analysis.metrics_and_motion.running import compare_metrics

    if arguments.page is not None:
        write_page(arguments.page, arguments.out)
        return str(arguments.page)
    results = compare_metrics(arguments.out, arguments.part, arguments.data, arguments.seed, arguments.weights)
    return "\n\n".join(map(format_result, results.values()))


class WeightFiles(Action):
    """An action of argparse that collects words NAME=FILE as a dict."""

    def __call__(self, parser: ArgumentParser, namespace: Namespace, values: Any, option: str | None = None) -> None:
        """Add the words of one use of the option."""
        found = dict(getattr(namespace, self.dest) or {})
        for word in values:
            name, sign, file = word.partition("=")
            if not (name and sign and file):
                raise ArgumentError(self, f"'{word}' is not NAME=FILE, for instance fvd=data/i3d_torchscript.pt")
            found[name] = file
        setattr(namespace, self.dest, found)
