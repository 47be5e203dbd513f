"""Forecast poses: `tools/forecast_poses.py pose_lstm_penn model.pth --data data/penn_action_64`."""

from pathlib import Path

from i2vkit.cli.common import parser, run_tool


def main() -> None:
    """Read the command line and write the forecasts."""
    options = parser(__doc__, config=True)
    options.add_argument("checkpoint", help=".pth of training, or its work dir")
    options.add_argument("--data", type=Path, required=True, help="the prepared set, with joints; gets forecasts/")
    options.add_argument("--length", type=int, default=32, help="poses to forecast (default: 32)")
    arguments = options.parse_args()

    from i2vkit.apis.forecasting import forecast_set, load_pose_lstm

    network = load_pose_lstm(arguments.config, arguments.checkpoint, arguments.cfg_options)
    print(forecast_set(network, arguments.data, arguments.length))


if __name__ == "__main__":
    run_tool(main)
