"""Prepare a data set: `python tools/prepare_data.py oulu_casia --source data/oulu_casia --out data/oulu_casia_64`."""

from pathlib import Path

from i2vkit.apis.cli import parser, run_tool


def main() -> None:
    """Read the command line and prepare."""
    options = parser(__doc__)
    options.add_argument("set", choices=["oulu_casia"], help="which data set")
    options.add_argument("--source", type=Path, required=True, help="the raw data, with landmarks/ beside the frames")
    options.add_argument("--out", type=Path, required=True, help="folder to write to; finished clips there are kept")
    options.add_argument("--size", type=int, default=64, help="side of the aligned frames in pixels (default: 64)")
    options.add_argument("--camera", choices=["VL", "NI"], default="VL", help="visible light or near infrared")
    options.add_argument("--light", choices=["Strong", "Weak", "Dark"], default="Strong", help="which illumination")
    options.add_argument("--workers", type=int, help="processes (default: one a core)")
    arguments = options.parse_args()

    from i2vkit.datasets.preparation import PREPARERS
    from i2vkit.datasets.preparation.jobs import available_cores

    prepare = PREPARERS[arguments.set]
    workers = arguments.workers or available_cores()
    print(prepare(arguments.source, arguments.out, arguments.size, workers, arguments.camera, arguments.light))


if __name__ == "__main__":
    run_tool(main)
