"""List the models that are shipped with i2vkit: `i2v list`.

`i2v list dtgan-faces` prints the model card of one. `i2v animate --model NAME` uses one.
"""

from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    parser.add_argument("name", nargs="?", help="print the model card of this model")


def run(arguments: Namespace) -> None:
    """Print the table of all models, or the card of one."""
    from i2vkit.zoo.index import as_table, find_entry, read_index

    if arguments.name is None:
        print(as_table(read_index()))
        return
    from i2vkit.zoo.cards import model_card
    from i2vkit.zoo.metadata import read_header

    entry = find_entry(arguments.name)
    print(model_card(read_header(entry.verified_file()), entry), end="")
