"""Render a stand-in for a data set: `python tools/synthesize_data.py oulu_casia --out data/oulu_casia`."""

from pathlib import Path

from i2vkit.apis.cli import parser, run_tool


def main() -> None:
    """Read the command line and render."""
    options = parser(__doc__)
    options.add_argument("set", choices=["oulu_casia"], help="whose layout to write")
    options.add_argument("--out", type=Path, required=True, help="folder to write to; finished clips there are kept")
    options.add_argument("--people", type=int, default=80, help="number of people (default: 80)")
    options.add_argument("--seed", type=int, default=0, help="seed of people and motions (default: 0)")
    options.add_argument("--size", default="320x240", help="width x height of the frames (default: 320x240)")
    options.add_argument("--camera", choices=["VL", "NI"], default="VL", help="visible light or near infrared")
    options.add_argument("--light", choices=["Strong", "Weak", "Dark"], default="Strong", help="how bright it is")
    options.add_argument(
        "--truth",
        default="transfer",
        help="'transfer' (default): the exact truth of DTGAN's test; 'none'; or pairs like P002:P001:Anger",
    )
    options.add_argument("--workers", type=int, help="processes (default: one a core)")
    options.add_argument("--contact-sheet", type=Path, help="also write this picture of the first six people")
    arguments = options.parse_args()

    from i2vkit.datasets.preparation.jobs import available_cores
    from i2vkit.datasets.synthetic import SYNTHESIZERS
    from i2vkit.datasets.synthetic.oulu_casia import contact_sheet
    from i2vkit.errors import ConfigError
    from i2vkit.media import write_image

    try:
        width, height = map(int, arguments.size.split("x"))
    except ValueError:
        raise ConfigError(f"--size {arguments.size}: expected width x height, for instance 320x240") from None
    summary = SYNTHESIZERS[arguments.set](
        arguments.out,
        people=arguments.people,
        seed=arguments.seed,
        size=(width, height),
        camera=arguments.camera,
        light=arguments.light,
        truth=arguments.truth,
        workers=arguments.workers or available_cores(),
    )
    print(summary)
    if arguments.contact_sheet:
        write_image(arguments.contact_sheet, contact_sheet(range(1, min(arguments.people, 6) + 1), arguments.seed))


if __name__ == "__main__":
    run_tool(main)
