"""Forecasts of poses: a trained pose LSTM runs on the joints of clips, and its poses become condition maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from i2vkit.conditions import JointHeatmaps
from i2vkit.config.loading import load_config
from i2vkit.datasets.formats.tables import read_rows
from i2vkit.datasets.map_files import write_maps
from i2vkit.datasets.point_files import points_of
from i2vkit.datasets.readers.clip_folder import ClipFolder
from i2vkit.errors import ConfigError, DataError
from i2vkit.models import PoseLstm
from i2vkit.models.generator_weights import load_generator
from i2vkit.preparation.jobs import write_table
from i2vkit.registry import MODELS

COLUMN = "forecast"
FOLDER = "forecasts"  # not the column's name, which is also a value of Penn's column frgan


def load_pose_lstm(
    config: str | Path | Config, checkpoint: str | Path, options: dict[str, Any] | None = None
) -> PoseLstm:
    """Return the network of a config like ``pose_lstm_penn`` with trained weights, in eval mode.

    Args:
        config: Name or path of a config, or a config.
        checkpoint: The weights.
        options: Changes of a config given by name or path, by dotted key.

    Raises:
        ConfigError: The config is of another kind of model.
        CheckpointError: As ``load_generator``.
    """
    cfg = config if isinstance(config, Config) else load_config(config, options)
    model = MODELS.build(cfg.model)
    network = getattr(model, "network", None)
    if not isinstance(network, PoseLstm):
        raise ConfigError(f"a {type(network or model).__name__} forecasts no poses: give a config like pose_lstm_penn")
    load_generator(model, checkpoint)
    return network.eval()


@torch.no_grad()
def forecast_joints(network: PoseLstm, joints: np.ndarray, length: int) -> np.ndarray:
    """Forecast poses.

    Args:
        network: The pose LSTM.
        joints: The poses seen, (P, 13, 2) in pixels, NaN where unknown. The last ones are used.
        length: Number of poses to forecast.

    Returns:
        The poses (length, 13, 2) that follow, in pixels.

    Raises:
        DataError: There are fewer poses than the network needs.
    """
    if len(joints) < network.observed:
        raise DataError(f"the pose LSTM sees {network.observed} poses and was given {len(joints)}")
    seen = torch.from_numpy(joints[-network.observed :]).float()[None]  # (P, 13, 2) -> (1, P, 13, 2)
    return network.forecast(seen, length)[0].numpy().astype(np.float64)


def forecast_set(network: PoseLstm, root: Path, length: int = 32) -> str:
    """Forecast each clip of a prepared set from its first poses on, and return a summary.

    It writes condition maps of all frames, ``root/forecasts/NAME.npz``: of the poses seen, then of those forecast, then
    empty ones. Their paths go to a column ``forecast`` of ``root/index.csv``. If you prepare the set again, the column
    is lost. Clips with fewer poses than the network needs have no maps.

    Args:
        network: The pose LSTM.
        root: Folder of the prepared set.
        length: Number of poses to forecast. Default 32.

    Raises:
        DataError: There are no clips, or clips without joints.
    """
    index, table = ClipFolder(str(root)).index(), root / "index.csv"
    draw, written = JointHeatmaps(network.image_size), {}
    for record in index.records:
        joints = points_of(record, "joints")
        if joints is None:
            raise DataError(f"clip {record.name} of {root} has no joints: nothing to forecast from")
        if record.num_frames >= network.observed:
            poses = np.full_like(joints, np.nan)
            seen = joints[: network.observed]
            # (observed, 13, 2) and (length, 13, 2) -> at most (T, 13, 2)
            known = np.concatenate([seen, forecast_joints(network, seen, length)])[: len(poses)]
            poses[: len(known)] = known
            written[record.name] = f"{FOLDER}/{record.name}.npz"
            write_maps(root / written[record.name], draw(poses))
    rows = read_rows(table, ("path",))
    columns = list(dict.fromkeys([*(key for row in rows for key in row), COLUMN]))
    for row in rows:
        row[COLUMN] = written.get(row["path"], "")
    write_table(table, tuple(columns), [[row.get(column, "") for column in columns] for row in rows])
    return f"{root}: poses of {len(written)} of {len(rows)} clips forecast, {length} each"
