"""A renderer of a person's face in any pose, with its 68 landmarks."""

from collections.abc import Iterator

import cv2
import numpy as np

from i2vkit.rendering.faces import backdrop
from i2vkit.rendering.faces.expressions import ActionUnits, FaceMotion, HeadPose
from i2vkit.rendering.faces.extras import paint_beard, paint_glasses
from i2vkit.rendering.faces.face_geometry import FaceShape, FaceView, face_shape, spline_basis
from i2vkit.rendering.faces.face_identity import FaceIdentity
from i2vkit.rendering.faces.features import paint_brows, paint_ears, paint_eyes, paint_mouth, paint_nostrils
from i2vkit.rendering.faces.hair import covers_ears, hair_layers
from i2vkit.rendering.faces.painting import MovingLayer, blend, blend_layer, fill
from i2vkit.rendering.faces.relief import Relief, paint_relief

SWAY = 14  # greatest motion of the head, in pixels of a picture with 240 rows


class FaceRenderer:
    """A renderer of one person in front of one camera.

    It paints wall, clothes, skin texture and hair once, when it is made. For each frame it warps these layers with the
    head, and draws outline, relief, eyes, brows, nose and mouth.

    Args:
        identity: The person.
        width: The width of the picture in pixels.
        height: The height of the picture in pixels. The head is about 0.65 of it.
    """

    def __init__(self, identity: FaceIdentity, width: int = 320, height: int = 240) -> None:
        self.identity, self.width, self.height = identity, width, height
        reach = round(SWAY * height / 240.0)
        behind, front = hair_layers(identity, width, height)
        body = backdrop.body(identity, width, height)
        self.wall = backdrop.background(identity, width, height)
        self.back_hair: MovingLayer | None = None
        self.body: np.ndarray | None = None
        # Without hair behind the neck, the body never changes and becomes part of the wall.
        if behind is None:
            blend_layer(self.wall, body)
        else:
            self.back_hair, self.body = MovingLayer(behind, -12.0, reach), body
        self.front_hair = MovingLayer(front, 10.0, reach)
        self.skin = backdrop.skin(identity, width, height)
        self.face_box = self._face_box(reach)

    def render(
        self,
        actions: ActionUnits = ActionUnits(),  # noqa: B008
        head: HeadPose = HeadPose(),  # noqa: B008
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw one frame.

        Args:
            actions: The facial actions, neutral by default.
            head: The pose of the head.

        Returns:
            RGB uint8 (H, W, 3), and landmarks (68, 2) in iBUG order. Pixel centres are whole numbers.
        """
        identity, view = self.identity, FaceView(self.width, self.height, head)
        shape = face_shape(identity, actions)
        seen = shape.seen_by(view)
        image = self.wall.copy()
        if self.back_hair is not None and self.body is not None:
            self.back_hair.blend(image, view)
            # The body covers the back hair. It is only in the lower half of the picture.
            neck = self.height // 2
            blend_layer(image[neck:], self.body[neck:])
        if not covers_ears(identity):
            paint_ears(image, view, identity)
        self._paint_skin(image, view, actions, shape, seen)
        if identity.beard != "none":
            paint_beard(image, view, identity, shape)
        paint_nostrils(image, view.scale, identity, seen)
        paint_mouth(image, view, identity, actions, seen)
        paint_eyes(image, view.scale, identity, actions, seen)
        paint_brows(image, view.scale, identity, seen)
        self.front_hair.blend(image, view)
        if identity.glasses != "none":
            paint_glasses(image, view, identity)
        return image, seen.landmarks

    def render_motion(self, motion: FaceMotion) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Draw the frames and landmarks of a clip, one by one."""
        return (self.render(*motion[frame]) for frame in range(len(motion)))

    def _paint_skin(
        self, image: np.ndarray, view: FaceView, actions: ActionUnits, shape: FaceShape, seen: FaceShape
    ) -> None:
        """Paint the skin with its relief, cut out by the current outline."""
        left, top, right, bottom = self.face_box
        part = view.moved((left, top))
        size = (right - left, bottom - top)
        skin = cv2.warpAffine(
            self.skin, part.plane(25.0), size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        # The relief is drawn on the part of the picture that the skin can cover.
        relief = Relief(part, size[1], size[0])
        paint_relief(relief, self.identity, actions, shape)
        mask = np.zeros(size[::-1], dtype=np.uint8)
        fill(mask, spline_basis(len(seen["outline"]), 4) @ seen["outline"] - (left, top), colour=(255,))
        blend(image[top:bottom, left:right], relief.apply(skin), mask)

    def _face_box(self, reach: int) -> tuple[int, int, int, int]:
        """Return the left, top, right and bottom pixel of the area that the skin can cover, with the jaw dropped."""
        outline = face_shape(self.identity, ActionUnits(jaw_drop=1.3)).seen_by(FaceView(self.width, self.height))[
            "outline"
        ]
        left, top = np.maximum(np.floor(outline.min(axis=0)).astype(int) - reach, 0).tolist()
        right, bottom = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + reach, (self.width, self.height)).tolist()
        return left, top, right, bottom
