"""Show the shipped models, verify their scores, and add models: `i2v zoo verify dtgan-faces`.

`i2v zoo add NAME CONFIG CHECKPOINT` exports a trained model into the package, scores the file and lists it. `i2v zoo
verify` scores shipped weights again on a CPU and compares every committed digit. `i2v zoo show` animates the example
face with each of them.
"""

import os
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from i2vkit.cli.common import add_command, add_config
from i2vkit.cli.values import output_file

TRUTH = Path("data/i2v_truth_v1")


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    verify = add_command(commands, "verify", "score shipped weights again, and compare every committed digit")
    verify.add_argument("names", nargs="*", metavar="NAME", help="name of a shipped model (default: all)")
    verify.add_argument(
        "--quick", action="store_true", help="use a small subset with its own digits, rendered on the fly"
    )
    show = add_command(commands, "show", "animate the example face with every shipped model of faces, side by side")
    show.add_argument("--out", required=True, type=output_file, help=".mp4, .mkv, .avi, .gif, or .png for a strip")
    add = add_command(commands, "add", "export a trained model into the zoo, score it and list it")
    add.add_argument("name", help="lower case words joined by '-', such as dtgan-faces")
    add_config(add)
    add.add_argument("checkpoint", help=".pth of training, a work dir, or .safetensors")
    add.add_argument("--metrics", metavar="FILE", help="metrics.json of i2v test of exactly these weights in bf16")
    add.add_argument("--protocol", help="a protocol of the config (default: its first)")
    add.add_argument("--data-words", default="", help="the training data in words (default: their folders)")
    add.add_argument("--minutes", type=float, help="minutes that the training took")
    add.add_argument("--device", help="device of the training, such as 'one CPU core'")
    add.add_argument("--note", help="anything else that users of the weights must know")
    add.add_argument("--replace", action="store_true", help="replace the model of that name")
    for command in (verify, add):
        command.add_argument(
            "--truth",
            type=Path,
            default=TRUTH,
            metavar="FOLDER",
            help="i2v-truth-v1, rendered if it is missing (default: %(default)s)",
        )


def run(arguments: Namespace) -> None:
    """Show, add or verify models. The exit code is 1 if a digit differs."""
    # The committed digits come from a CPU. torch reads this when it is imported, which happens below.
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if arguments.command == "add":
        add_model(arguments)
    elif arguments.command == "show":
        show(arguments)
    elif not verify_models(arguments):
        sys.exit(1)


def add_model(arguments: Namespace) -> None:
    """Add a model and print its row."""
    from i2vkit.zoo.adding import add_to_zoo
    from i2vkit.zoo.index import as_table

    training = {name: getattr(arguments, name) for name in ("minutes", "device", "note")}
    entry = add_to_zoo(
        arguments.name,
        arguments.config,
        arguments.checkpoint,
        arguments.metrics,
        options=arguments.cfg_options,
        data_words=arguments.data_words,
        training={name: value for name, value in training.items() if value is not None},
        protocol=arguments.protocol,
        replace=arguments.replace,
        data=arguments.truth,
    )
    print(as_table({entry.name: entry}))
    print(", ".join(f"{name} {value}" for name, value in entry.scores.items()))


def show(arguments: Namespace) -> None:
    """Write the video of all shipped models of faces."""
    from i2vkit.zoo.showing import face_models, show_models

    entries = face_models()
    frames = show_models(arguments.out, entries)
    print(f"{arguments.out}: {frames} frames by {', '.join(entry.name for entry in entries)}")


def verify_models(arguments: Namespace) -> bool:
    """Print the differences, and return True if there are none.

    A model among several that cannot be verified, for instance because its data are not there, is named at the end.

    Raises:
        I2VError: A model cannot be verified.
    """
    from i2vkit.errors import I2VError
    from i2vkit.zoo.index import find_entry, read_index
    from i2vkit.zoo.verification import report, verify

    entries = [find_entry(name) for name in arguments.names] or list(read_index().values())
    if arguments.quick and not arguments.names:
        entries = [entry for entry in entries if entry.quick_scores]
    good, failed = True, []
    for entry in entries:
        try:
            rows, scores = verify(entry, arguments.truth, arguments.quick)
        except I2VError as error:
            if len(entries) == 1:
                raise
            failed.append(f"{entry.name}: {error}")
            continue
        print(report(entry.name, rows, scores), flush=True)
        good = good and not rows
    if failed:
        raise I2VError(f"{len(failed)} of {len(entries)} models could not be verified. {'; '.join(failed)}")
    return good
