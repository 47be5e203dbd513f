"""Forecast poses: `i2v forecast-poses pose_lstm_penn model.pth --data data/penn_action_64`."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from i2vkit.cli.common import add_config


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options of the command to ``parser``."""
    add_config(parser)
    parser.add_argument("checkpoint", help=".pth of training, or its work dir")
    parser.add_argument("--data", type=Path, required=True, help="the prepared set, with joints; forecasts/ goes there")
    parser.add_argument("--length", type=int, default=32, help="poses to forecast (default: 32)")


def run(arguments: Namespace) -> None:
    """Write the forecasts."""
    from i2vkit.apis.forecasting import forecast_set, load_pose_lstm
    from i2vkit.config.loading import load_config

    cfg = load_config(arguments.config, arguments.cfg_options, arguments.variant)
    network = load_pose_lstm(cfg, arguments.checkpoint)
    print(forecast_set(network, arguments.data, arguments.length))
