"""Poses that go on: a trained pose LSTM run on the joints of clips, and the condition maps of what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from i2vkit.conditions import JointHeatmaps
from i2vkit.config.loading import load_config
from i2vkit.datasets.formats.folders import read_table
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
    """The network of a config like ``pose_lstm_penn`` with trained weights.

    Raises:
        ConfigError: a config of something else.
        CheckpointError: as ``load_generator``.
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
    """The poses (length, 13, 2) after those seen, the last of ``joints`` (P, 13, 2), in pixels, NaN where unknown.

    Raises ``DataError`` if there are fewer than the network sees.
    """
    if len(joints) < network.observed:
        raise DataError(f"the pose LSTM sees {network.observed} poses and was given {len(joints)}")
    seen = torch.from_numpy(joints[-network.observed :]).float()[None]
    return network.forecast(seen, length)[0].numpy().astype(np.float64)


def forecast_set(network: PoseLstm, root: Path, length: int = 32) -> str:
    """Forecast each clip of a prepared set from its first poses on; a summary.

    Written are condition maps of all frames, ``root/forecasts/NAME.npz``: of the poses seen, of those forecast, and
    empty ones after these; and their paths in a column ``forecast`` of ``root/index.csv``, which preparing the set
    again takes away. Clips too short to be seen have none.

    Raises:
        DataError: no clips, or clips without joints.
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
            known = np.concatenate([seen, forecast_joints(network, seen, length)])[: len(poses)]
            poses[: len(known)] = known
            written[record.name] = f"{FOLDER}/{record.name}.npz"
            write_maps(root / written[record.name], draw(poses))
    rows = read_table(table, ("path",))
    columns = list(dict.fromkeys([*(key for row in rows for key in row), COLUMN]))
    for row in rows:
        row[COLUMN] = written.get(row["path"], "")
    write_table(table, tuple(columns), [[row.get(column, "") for column in columns] for row in rows])
    return f"{root}: poses of {len(written)} of {len(rows)} clips forecast, {length} each"
