"""Fitting of a morphable model to the landmarks of a clip."""

import numpy as np
from scipy.optimize import least_squares
from scipy.sparse import csr_array

from i2vkit.conditions.camera import rotations, to_image_space, turn_derivatives
from i2vkit.conditions.coefficients import Coefficients
from i2vkit.conditions.morphable import MorphableModel
from i2vkit.datasets.point_files import fill_gaps
from i2vkit.errors import DataError

# The assumed error of landmarks, as a share of the face's radius (the RMS distance of landmarks from their mean). It
# weighs landmarks against the standard deviations of the coefficients.
NOISE = 0.02
_TURN = 0.5  # standard deviation of rotation vectors, in radians: most faces look roughly into the camera
_FIRST = 0.2  # standard deviation of the first frame's expression, in clips that begin neutral
_WORST = 0.25  # RMS error, as a share of the radius, above which the landmarks cannot be those of a face


def fit_clip(
    model: MorphableModel, landmarks: np.ndarray, neutral_start: bool = False, noise: float = NOISE
) -> Coefficients:
    """Find the identity, the expressions and the cameras that explain the landmarks of a clip best.

    The fit minimises the sum over frames of squared errors, in units of ``noise``, and of squared coefficients, in
    standard deviations. The clip has one identity. Its squares count once for each frame too: the errors of landmarks
    and model are much the same in all frames, so a longer clip does not give more information about the identity.

    With 5 landmarks most expressions come from the prior, because only the corners of the mouth are observed.

    Args:
        model: The morphable model.
        landmarks: (T, 68 or 5, 2) in pixels, NaN in frames where they are unknown. Short gaps are filled by
            interpolating the coefficients.
        neutral_start: Whether the clip begins with a neutral face. If so, the first frame counts as much as all others
            together and has hardly any expression. Otherwise a smile that lasts for the whole clip would be taken for
            the shape of the person's mouth.
        noise: The error of landmarks, as a share of the face's radius.

    Returns:
        The coefficients of all T frames.

    Raises:
        DataError: There are not 68 or 5 points, a gap is too long, all points are at one place, or they do not form a
            face.
    """
    known = np.isfinite(landmarks).all(axis=(1, 2))
    fill_gaps(landmarks)  # raises for gaps that are too long
    problem = _Problem(model, landmarks[known], neutral_start, noise)
    solution = least_squares(
        problem.residuals, problem.start(), problem.jacobian, method="trf", tr_solver="lsmr", x_scale="jac",
        ftol=1e-6, xtol=1e-7, gtol=1e-8, max_nfev=60,
    )  # fmt: skip
    identity, expression, camera = problem.coefficients(solution.x)
    if (error := problem.error(identity, expression, camera)) > _WORST:
        raise DataError(f"the landmarks do not form a face: the fitted face is off by {error:.2f} of its radius")
    frames = np.full((len(landmarks), 1, expression.shape[1] + 6), np.nan)
    frames[known, 0] = np.concatenate([expression, camera], axis=1)
    filled, _ = fill_gaps(frames)
    return Coefficients(identity, filled[:, 0, :-6], filled[:, 0, -6:])


class _Problem:
    """A least-squares problem with residuals and their derivatives, in units of the face's radius.

    The unknowns are the identity (I,), then for every frame its expression (E,), rotation vector (3,), scale, and
    position (2,), with x to the right and y up.
    """

    def __init__(self, model: MorphableModel, landmarks: np.ndarray, neutral_start: bool, noise: float):
        self.mean, self.identity, self.expression = model.at_landmarks(landmarks.shape[1])
        self.middle = self.mean.mean(axis=0)
        self.unit = np.sqrt(((self.mean - self.middle) ** 2)[:, :2].sum(axis=1).mean())
        self.centre = landmarks.mean(axis=(0, 1))
        spread = landmarks - landmarks.mean(axis=1, keepdims=True)
        self.radius = np.sqrt((spread**2).sum(axis=2).mean())
        if not self.radius > 1e-3:
            raise DataError("the landmarks are all at one place")
        self.observed = (landmarks - self.centre) / self.radius * (1.0, -1.0)
        self.num_frames, self.num_points = landmarks.shape[:2]
        frames = np.ones(self.num_frames)
        # ``frames`` says how many times each frame counts.
        self.expression_weight = np.ones((self.num_frames, 1))
        if neutral_start and self.num_frames > 1:
            frames[0] = self.num_frames - 1
        if neutral_start:
            self.expression_weight[0] = 1.0 / _FIRST
        self.expression_weight *= np.sqrt(frames)[:, None]
        self.weight = np.sqrt(frames)[:, None, None] / noise
        self.identity_weight = np.sqrt(frames.sum())
        self.turn_weight = np.sqrt(frames)[:, None] / _TURN
        self._pattern = self._indices()

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers I and E of identity and expression modes."""
        return self.identity.shape[2], self.expression.shape[2]

    def start(self) -> np.ndarray:
        """Return the start of the search: the mean face, looking ahead, placed over the landmarks of every frame."""
        centres = self.observed.mean(axis=1)
        size = np.sqrt(((self.observed - centres[:, None]) ** 2).sum(axis=2).mean(axis=1))
        frames = np.zeros((self.num_frames, self.shape[1] + 6))
        frames[:, -3], frames[:, -2:] = size, centres
        return np.concatenate([np.zeros(self.shape[0]), frames.ravel()])

    def split(self, unknowns: np.ndarray) -> tuple[np.ndarray, ...]:
        """Split the unknowns into their parts.

        They are the identity (I,), expressions (T, E), rotation vectors (T, 3), scales (T,) and positions (T, 2).
        """
        identity, frames = unknowns[: self.shape[0]], unknowns[self.shape[0] :].reshape(self.num_frames, -1)
        return identity, frames[:, :-6], frames[:, -6:-3], frames[:, -3], frames[:, -2:]

    def turned(self, unknowns: np.ndarray) -> np.ndarray:
        """Return the rotated landmarks (T, N, 3) of the model, around its middle and in its units."""
        identity, expression, turn, _, _ = self.split(unknowns)
        shape = (
            self.mean - self.middle + self.identity @ identity + np.einsum("nce,te->tnc", self.expression, expression)
        )
        return np.einsum("tij,tnj->tni", rotations(turn), shape / self.unit)

    def residuals(self, unknowns: np.ndarray) -> np.ndarray:
        """Return the residuals of the landmarks, then those of the priors."""
        identity, expression, turn, scale, place = self.split(unknowns)
        seen = scale[:, None, None] * self.turned(unknowns)[..., :2] + place[:, None]
        parts = (
            self.weight * (seen - self.observed), self.expression_weight * expression, self.turn_weight * turn,
            self.identity_weight * identity,
        )  # fmt: skip
        return np.concatenate([part.ravel() for part in parts])

    def jacobian(self, unknowns: np.ndarray) -> csr_array:
        """Return the derivatives of the residuals as a sparse matrix, because each frame has unknowns of its own."""
        _, _, turn, scale, _ = self.split(unknowns)
        turned, axes = self.turned(unknowns), rotations(turn)[:, :2] * (scale / self.unit)[:, None, None]
        ways = np.concatenate([self.identity, self.expression], axis=2)
        # (T, N, 2, I + E + 6): derivatives of x and y of each landmark, in the order of ``split``.
        blocks = np.empty((*turned.shape[:2], 2, sum(self.shape) + 6))
        blocks[..., :-6] = np.einsum("tij,njk->tnik", axes, ways)
        blocks[..., -6:-3] = scale[:, None, None, None] * turn_derivatives(turn, turned)[:, :, :2]
        blocks[..., -3] = turned[..., :2]
        blocks[..., -2:] = np.eye(2)
        blocks *= self.weight[..., None]
        priors = [np.broadcast_to(self.expression_weight, (self.num_frames, self.shape[1]))]
        priors += [
            np.broadcast_to(self.turn_weight, (self.num_frames, 3)),
            np.full(self.shape[0], self.identity_weight),
        ]
        values = np.concatenate([blocks.ravel(), *(prior.ravel() for prior in priors)])
        columns, starts, size = self._pattern
        return csr_array((values, columns, starts), shape=size)

    def _indices(self) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        """Return the column of every entry of the sparse matrix, the start of every row, and the size of the matrix."""
        num_identity, own = self.shape[0], self.shape[1] + 6
        of_frame = num_identity + np.arange(self.num_frames * own).reshape(self.num_frames, own)
        shared = np.broadcast_to(np.arange(num_identity), (self.num_frames, num_identity))
        rows = np.concatenate([shared, of_frame], axis=1)
        rows = np.repeat(rows, 2 * self.num_points, axis=0)
        priors = np.concatenate([of_frame[:, :-6].ravel(), of_frame[:, -6:-3].ravel(), np.arange(num_identity)])
        columns = np.concatenate([rows.ravel(), priors])
        lengths = np.concatenate([np.full(len(rows), rows.shape[1]), np.ones(len(priors), int)])
        starts = np.concatenate([[0], np.cumsum(lengths)])
        return columns, starts, (len(lengths), num_identity + self.num_frames * own)

    def coefficients(self, unknowns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return identity, expressions and cameras, in pixels and relative to the model's own origin."""
        identity, expression, turn, scale, place = self.split(unknowns)
        pixels = self.radius * scale / self.unit
        origin = self.radius * place - pixels[:, None] * (rotations(turn) @ self.middle)[:, :2]
        camera = np.column_stack([turn, pixels, self.centre + origin * (1.0, -1.0)])
        return identity, expression, camera

    def error(self, identity: np.ndarray, expression: np.ndarray, camera: np.ndarray) -> float:
        """Return the RMS distance of the fitted landmarks from the given ones, in units of the radius."""
        shape = self.mean + self.identity @ identity + np.einsum("nce,te->tnc", self.expression, expression)
        observed = self.observed * (1.0, -1.0) * self.radius + self.centre
        return float(np.sqrt(((to_image_space(shape, camera) - observed) ** 2).sum(axis=2).mean()) / self.radius)
