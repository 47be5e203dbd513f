"""The actions of each scene, and random clips of them."""

import numpy as np

from i2vkit.datasets.readers.natops import GESTURES
from i2vkit.errors import ConfigError
from i2vkit.rendering.figures.natops_gestures import natops_motion
from i2vkit.rendering.figures.poses import FigureMotion
from i2vkit.rendering.figures.sports import SPORTS, sport_motion
from i2vkit.rendering.figures.weizmann_actions import CHOREOGRAPHIES, weizmann_motion

ACTIONS: dict[str, tuple[str, ...]] = {
    "weizmann": tuple(CHOREOGRAPHIES),
    "natops": tuple(GESTURES),
    "penn_action": tuple(SPORTS),
}


def draw_motion(rng: np.random.Generator, scene: str, action: str) -> FigureMotion:
    """Draw a random clip of an action, with speed, strength and style from `rng`.

    The motion depends only on `rng`, scene and action, so every person can be given the same motion. This makes "A does
    B's clip" well defined.

    Raises:
        ConfigError: The scene or the action does not exist.
    """
    if action not in ACTIONS.get(scene, ()):
        known = (
            f"actions of {scene!r}: {', '.join(ACTIONS[scene])}"
            if scene in ACTIONS
            else f"scenes: {', '.join(ACTIONS)}"
        )
        raise ConfigError(f"no action {action!r} in scene {scene!r}; {known}")
    draw = dict(weizmann=lambda: weizmann_motion(rng, action), natops=lambda: natops_motion(rng, action))
    return draw.get(scene, lambda: sport_motion(rng, action))()
