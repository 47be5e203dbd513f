"""A renderer of jointed figures: a person (`FigureIdentity`), a motion (`FigureMotion`) and drawing (`FigureRenderer`).

There are three scenes: "weizmann" (whole people in front of a wall), "natops" (people from the thighs up, in a room)
and "penn_action" (sports).
"""

from i2vkit.datasets.readers.natops import GESTURES
from i2vkit.rendering.figures.contact_sheets import contact_sheet
from i2vkit.rendering.figures.figure_identity import FigureIdentity, draw_person
from i2vkit.rendering.figures.figure_motion import ACTIONS, draw_motion
from i2vkit.rendering.figures.figure_renderer import FigureFrame, FigureRenderer
from i2vkit.rendering.figures.poses import FigureMotion
from i2vkit.rendering.figures.skeleton import PENN_JOINTS

__all__ = [
    "ACTIONS",
    "GESTURES",
    "PENN_JOINTS",
    "FigureFrame",
    "FigureIdentity",
    "FigureMotion",
    "FigureRenderer",
    "contact_sheet",
    "draw_motion",
    "draw_person",
]
