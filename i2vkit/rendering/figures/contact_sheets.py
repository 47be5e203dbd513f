"""Pictures of many people and actions at once."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from i2vkit.rendering.figures.figure_identity import draw_person
from i2vkit.rendering.figures.figure_motion import ACTIONS, draw_motion
from i2vkit.rendering.figures.figure_renderer import FigureRenderer
from i2vkit.rendering.figures.poses import INDEX, FigureMotion, Poses

SIZES = {"weizmann": (180, 144), "natops": (320, 240), "penn_action": (320, 240)}
# How much a channel's distance from rest tells of an action; angles count by degrees, lengths by leg and arm.
_WEIGHTS = {f"{side}_{name}": 1.0 for side in "lr" for name in ("arm_up", "fore_up")} | {"bend": 1.5, "l_foot_y": 200.0}
_COLUMNS = [INDEX[name] for name in _WEIGHTS]


def characteristic_frame(motion: FigureMotion) -> int:
    """Where limbs are farthest from hanging at rest, or hands that hold something are highest."""
    away = np.abs(motion.poses - Poses(1).array)[:, _COLUMNS] * list(_WEIGHTS.values())
    return int(np.argmax(away.sum(axis=1) + 120.0 * motion["grip_y"]))


def contact_sheet(
    scene: str,
    people: Sequence[int],
    actions: Sequence[str] | None = None,
    seed: int = 0,
    cell: int = 96,
    columns: int | None = None,
) -> np.ndarray:
    """People (from top to bottom) in actions (from left to right) at their most telling frame, uint8 RGB.

    Args:
        scene: A key of `ACTIONS`.
        people: Their numbers.
        actions: All of the scene by default.
        seed: Of people and motions.
        cell: Width of a picture, in pixels.
        columns: Pictures in a row, after which a person's actions go on in the next one; all by default.
    """
    width, height = SIZES[scene]
    size, actions = (cell, round(cell * height / width)), actions or ACTIONS[scene]
    columns, rows = columns or len(actions), []
    for person in people:
        renderer = FigureRenderer(draw_person(seed, person), scene, width, height)
        cells = [
            cv2.resize(
                _telling_picture(renderer, scene, action, [seed, 2, person, number]), size, interpolation=cv2.INTER_AREA
            )
            for number, action in enumerate(actions)
        ]
        cells += [np.full_like(cells[0], 255)] * (-len(cells) % columns)
        rows += [np.hstack(cells[first : first + columns]) for first in range(0, len(cells), columns)]
    return np.vstack(rows)


def _telling_picture(renderer: FigureRenderer, scene: str, action: str, seed: list[int]) -> np.ndarray:
    motion = draw_motion(np.random.default_rng(seed), scene, action)
    frame = characteristic_frame(motion)
    return next(renderer.render_motion(replace(motion, poses=motion.poses[frame : frame + 1]))).image
