"""What is registered: `python tools/parts.py decoder`; one part: `python tools/parts.py --spec FrameDecoder`."""

from i2vkit.cli.common import parser, run_tool


def main() -> None:
    """Read the command line and print."""
    options = parser(__doc__)
    options.add_argument("kind", nargs="?", help="one kind of part only, for instance decoder or 'motion encoder'")
    options.add_argument(
        "--spec", metavar="NAME", help="all that is known of one part: arguments, and what it goes with"
    )
    options.add_argument(
        "--import",
        dest="modules",
        nargs="+",
        default=[],
        metavar="MODULE",
        help="modules with parts of your own, by their names in Python",
    )
    arguments = options.parse_args()

    from i2vkit.analysis.parts.registered import find_kind, import_modules, kinds
    from i2vkit.analysis.parts.report import as_list, as_spec

    import_modules(arguments.modules)
    if arguments.spec:
        print(as_spec(arguments.spec))
        return
    for kind in [find_kind(arguments.kind)] if arguments.kind else kinds():
        print(as_list(kind), flush=True)


if __name__ == "__main__":
    run_tool(main)
