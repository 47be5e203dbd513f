"""Contact sheets: pictures of many people and actions at once."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from i2vkit.rendering.figures.figure_identity import draw_person
from i2vkit.rendering.figures.figure_motion import ACTIONS, draw_motion
from i2vkit.rendering.figures.figure_renderer import FigureRenderer
from i2vkit.rendering.figures.poses import INDEX, FigureMotion, Poses

SIZES = {"weizmann": (180, 144), "natops": (320, 240), "penn_action": (320, 240)}
# The weight of a channel's distance from rest in the choice of a frame. Angles are in degrees, lengths in leg lengths.
_WEIGHTS = {f"{side}_{name}": 1.0 for side in "lr" for name in ("arm_up", "fore_up")} | {"bend": 1.5, "l_foot_y": 200.0}
_COLUMNS = [INDEX[name] for name in _WEIGHTS]


def characteristic_frame(motion: FigureMotion) -> int:
    """Return the frame in which limbs are farthest from rest, or hands that hold something are highest."""
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
    """Draw people (rows) in actions (columns), each at its most characteristic frame, uint8 RGB.

    Args:
        scene: A key of `ACTIONS`.
        people: The numbers of the people.
        actions: The actions. By default all of the scene.
        seed: The seed of people and motions.
        cell: The width of one picture in pixels.
        columns: The number of pictures in a row. A person's other actions continue in the next row. By default all are
            in one row.
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
        # White cells fill up the last row.
        cells += [np.full_like(cells[0], 255)] * (-len(cells) % columns)
        rows += [np.hstack(cells[first : first + columns]) for first in range(0, len(cells), columns)]
    return np.vstack(rows)


def _telling_picture(renderer: FigureRenderer, scene: str, action: str, seed: list[int]) -> np.ndarray:
    """Draw the most characteristic frame of an action."""
    motion = draw_motion(np.random.default_rng(seed), scene, action)
    frame = characteristic_frame(motion)
    return next(renderer.render_motion(replace(motion, poses=motion.poses[frame : frame + 1]))).image
