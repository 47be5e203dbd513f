"""Parameters and multiply-adds of a model, part by part: `python tools/flops.py dtgan_oulu --frames 16`."""

import json

from i2vkit.apis.cli import parser, run_tool


def main() -> None:
    """Read the command line, print the table and write it if asked to."""
    options = parser(__doc__, config=True)
    options.add_argument(
        "--frames", type=int, help="length of the video that is counted (default: 16, or the next that the model makes)"
    )
    options.add_argument("--json", metavar="FILE", help="write the numbers to a file too")
    arguments = options.parse_args()

    from i2vkit.apis.config import load_config
    from i2vkit.apis.profile import as_json, as_table, lengths_of, profile_model
    from i2vkit.media import atomic_path
    from i2vkit.registry import MODELS

    cfg = load_config(arguments.config, arguments.cfg_options)
    model = MODELS.build(cfg.model)
    frames = lengths_of(model).at_least(16) if arguments.frames is None else arguments.frames
    rows = profile_model(model, frames)
    print(as_table(rows, frames, model.image_size))
    if arguments.json:
        with atomic_path(arguments.json) as temporary:
            temporary.write_text(json.dumps(as_json(rows, frames, model.image_size), indent=1) + "\n")


if __name__ == "__main__":
    run_tool(main)
