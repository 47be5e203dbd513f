"""List the registered parts: `i2v parts decoder`, or describe one: `i2v parts --spec FrameDecoder`."""

from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument("kind", nargs="?", help="list one kind of part only, for instance decoder or 'motion encoder'")
    parser.add_argument("--spec", metavar="NAME", help="describe one part: its arguments, and the parts it goes with")
    parser.add_argument(
        "--ours",
        choices=("check", "write"),
        help="compare, or write, what headers of the configs in _base_ list as ours, by the docstrings of the parts",
    )
    parser.add_argument(
        "--import",
        dest="modules",
        nargs="+",
        default=[],
        metavar="MODULE",
        help="modules with parts of your own, by their names in Python",
    )


def run(arguments: Namespace) -> None:
    """Print the parts, or describe one of them."""
    from i2vkit.analysis.parts.parts_report import format_parts, format_spec
    from i2vkit.analysis.parts.registered import find_kind, import_modules, kinds

    if arguments.ours:
        from i2vkit.analysis.departures import check_departures

        check_departures(write=arguments.ours == "write")
        return
    import_modules(arguments.modules)
    if arguments.spec:
        print(format_spec(arguments.spec))
        return
    for kind in [find_kind(arguments.kind)] if arguments.kind else kinds():
        print(format_parts(kind), flush=True)
