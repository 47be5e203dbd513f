"""Ask people which videos look more real: `i2v study create ours=a/videos theirs=b/metrics.json --out study`.

`i2v study serve study` then shows the questions in a browser, `i2v study report study` counts the answers, and `i2v
study export study --out answers.csv` writes them all. Raters see no names of models.
"""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from i2vkit.cli.common import add_command
from i2vkit.cli.values import output_file_path, output_folder_path

STUDY = "folder of i2v study create"


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    create = add_command(commands, "create", "make the folder of a study from the videos of several models")
    create.add_argument(
        "models",
        nargs="+",
        metavar="NAME=PATH",
        help="a model, and its folder of videos or the metrics.json of i2v test --save-videos or i2v evaluate; videos "
        "of one clip have one name in all folders",
    )
    create.add_argument("--out", type=output_folder_path, required=True, help="folder of the study")
    create.add_argument(
        "--kinds",
        nargs="+",
        choices=["preference", "rating"],
        default=["preference"],
        help="preference: which of two videos looks more real; rating: one video and three questions (default: "
        "preference)",
    )
    create.add_argument("--against", metavar="NAME", help="compare this model with each other one (default: all pairs)")
    create.add_argument("--references", type=Path, metavar="FOLDER", help="videos of the same names to show above")
    create.add_argument("--clips", type=int, help="number of clips, drawn at random (default: all)")
    create.add_argument("--questions", type=int, default=20, help="most questions for a rater (default: %(default)s)")
    create.add_argument("--raters", type=int, default=3, help="raters for each question (default: %(default)s)")
    create.add_argument("--checks", type=int, default=2, help="attention checks for a rater (default: %(default)s)")
    create.add_argument("--title", default="Which video looks more real?", help="heading that raters see")
    create.add_argument("--seed", type=int, default=0, help="seed of the choice of clips (default: %(default)s)")
    serve = add_command(commands, "serve", "show the questions in browsers and store the answers")
    serve.add_argument("study", type=Path, help=STUDY)
    serve.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all networks (default: %(default)s)"
    )
    serve.add_argument("--port", type=int, default=8008, help="port, 0 for any free one (default: %(default)s)")
    report = add_command(commands, "report", "count the answers: a table, a plot and report.json")
    report.add_argument("study", type=Path, help=STUDY)
    report.add_argument("--out", type=output_folder_path, help="folder (default: STUDY/report)")
    report.add_argument(
        "--missed",
        type=int,
        default=0,
        help="leave out raters who missed more attention checks than this (default: %(default)s)",
    )
    export = add_command(commands, "export", "write all answers, those to attention checks too")
    export.add_argument("study", type=Path, help=STUDY)
    export.add_argument("--out", type=output_file_path, required=True, help=".csv or .json")


def run(arguments: Namespace) -> None:
    """Run one of the commands."""
    {"create": create, "serve": serve, "report": report, "export": export}[arguments.command](arguments)


def create(arguments: Namespace) -> None:
    """Make the folder of a study."""
    from i2vkit.study.creation import StudyPlan, create_study
    from i2vkit.study.videos import parse_models

    names = ("against", "clips", "questions", "raters", "checks", "title", "seed")
    plan = StudyPlan(kinds=tuple(dict.fromkeys(arguments.kinds)), **{name: getattr(arguments, name) for name in names})
    made = create_study(parse_models(arguments.models), arguments.out, plan, arguments.references)
    left_out = f" ({made['left_out']} clips were not made by all models)" if made["left_out"] else ""
    print(f"{arguments.out}: {made['questions']} questions about {made['clips']} clips{left_out}")
    print(f"i2v study serve {arguments.out}")


def serve(arguments: Namespace) -> None:
    """Show the questions until Ctrl-C."""
    from i2vkit.study.store import Store
    from i2vkit.web.serving import require_web, serve

    require_web("starlette", "uvicorn")
    from i2vkit.study.server import application

    serve(application(Store(arguments.study)), arguments.host, arguments.port, "study")


def report(arguments: Namespace) -> None:
    """Count the answers."""
    from i2vkit.study.answers import answers_of
    from i2vkit.study.report import report_of, write_report
    from i2vkit.study.store import Store
    from i2vkit.web.serving import require_web

    require_web("krippendorff")
    out = arguments.out or arguments.study / "report"
    print(write_report(report_of(answers_of(Store(arguments.study)), arguments.missed), out))
    print(out)


def export(arguments: Namespace) -> None:
    """Write all answers."""
    from i2vkit.study.answers import answers_of, export_answers
    from i2vkit.study.store import Store

    answers = answers_of(Store(arguments.study))
    print(f"{export_answers(answers, arguments.out)}: {len(answers)} answers")
