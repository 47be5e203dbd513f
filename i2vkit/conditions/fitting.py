"""A morphable model fitted to the landmarks of a clip."""

import numpy as np
from scipy.optimize import least_squares
from scipy.sparse import csr_array

from i2vkit.conditions.camera import rotations, to_image_space, turn_derivatives
from i2vkit.conditions.coefficients import Coefficients
from i2vkit.conditions.morphable import MorphableModel
from i2vkit.datasets.point_files import fill_gaps
from i2vkit.errors import DataError

# Landmarks are taken to be off by this share of the face's radius (the RMS distance of landmarks to their mean); it
# weighs them against the standard deviations of the coefficients.
NOISE = 0.02
_TURN = 0.5  # standard deviation of rotation vectors, in radians: faces look into the camera more or less
_FIRST = 0.2  # standard deviation of the expression of a clip's first frame, where clips begin neutral
_WORST = 0.25  # RMS error, as a share of the radius, above which landmarks are not those of a face


def fit_clip(
    model: MorphableModel, landmarks: np.ndarray, neutral_start: bool = False, noise: float = NOISE
) -> Coefficients:
    """Find the person, the expressions and the cameras that explain landmarks (T, 68 or 5, 2) in pixels best.

    Minimised is the sum over frames of squared errors, in units of the noise, and squared coefficients, in standard
    deviations; the identity is one for the whole clip. Its own squares count once a frame too: what landmarks and model
    get wrong is much the same in all frames, so that a longer clip does not tell more of it.

    With 5 landmarks expressions are mostly the prior's: only what moves the corners of the mouth is seen.

    Args:
        model: What is fitted.
        landmarks: NaN on frames where they are not known; short gaps are filled in the coefficients.
        neutral_start: The clip begins with a neutral face: its first frame then counts as much as all others together,
            and has hardly any expression. Else a face that smiles all the time is a person whose mouth is like that.
        noise: How far off landmarks are, as a share of the face's radius.

    Raises:
        DataError: Not 68 or 5 points, too long a gap, points that are all at one place, or are no face.
    """
    known = np.isfinite(landmarks).all(axis=(1, 2))
    fill_gaps(landmarks)  # refuses gaps that are too long
    problem = _Problem(model, landmarks[known], neutral_start, noise)
    solution = least_squares(
        problem.residuals, problem.start(), problem.jacobian, method="trf", tr_solver="lsmr", x_scale="jac",
        ftol=1e-6, xtol=1e-7, gtol=1e-8, max_nfev=60,
    )  # fmt: skip
    identity, expression, camera = problem.coefficients(solution.x)
    if (error := problem.error(identity, expression, camera)) > _WORST:
        raise DataError(f"the landmarks are no face: a fitted one is off by {error:.2f} of its radius")
    frames = np.full((len(landmarks), 1, expression.shape[1] + 6), np.nan)
    frames[known, 0] = np.concatenate([expression, camera], axis=1)
    filled, _ = fill_gaps(frames)
    return Coefficients(identity, filled[:, 0, :-6], filled[:, 0, -6:])


class _Problem:
    """Residuals and their derivatives, in lengths of the face's radius.

    Unknowns are the identity (I,), then for every frame its expression (E,), rotation vector (3,), scale, and place
    (2,), x to the right and y up.
    """

    def __init__(self, model: MorphableModel, landmarks: np.ndarray, neutral_start: bool, noise: float):
        self.mean, self.identity, self.expression = model.at_landmarks(landmarks.shape[1])
        self.middle = self.mean.mean(axis=0)
        self.unit = np.sqrt(((self.mean - self.middle) ** 2)[:, :2].sum(axis=1).mean())
        self.centre = landmarks.mean(axis=(0, 1))
        spread = landmarks - landmarks.mean(axis=1, keepdims=True)
        self.radius = np.sqrt((spread**2).sum(axis=2).mean())
        if not self.radius > 1e-3:
            raise DataError("its landmarks are all at one place")
        self.observed = (landmarks - self.centre) / self.radius * (1.0, -1.0)
        self.num_frames, self.num_points = landmarks.shape[:2]
        frames = np.ones(self.num_frames)
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
        """I and E."""
        return self.identity.shape[2], self.expression.shape[2]

    def start(self) -> np.ndarray:
        """The mean face, looking ahead, over the landmarks of every frame."""
        centres = self.observed.mean(axis=1)
        size = np.sqrt(((self.observed - centres[:, None]) ** 2).sum(axis=2).mean(axis=1))
        frames = np.zeros((self.num_frames, self.shape[1] + 6))
        frames[:, -3], frames[:, -2:] = size, centres
        return np.concatenate([np.zeros(self.shape[0]), frames.ravel()])

    def split(self, unknowns: np.ndarray) -> tuple[np.ndarray, ...]:
        """Identity (I,), expressions (T, E), rotation vectors (T, 3), scales (T,), places (T, 2)."""
        identity, frames = unknowns[: self.shape[0]], unknowns[self.shape[0] :].reshape(self.num_frames, -1)
        return identity, frames[:, :-6], frames[:, -6:-3], frames[:, -3], frames[:, -2:]

    def turned(self, unknowns: np.ndarray) -> np.ndarray:
        """Landmarks (T, N, 3) of the model around its middle, in its units, turned."""
        identity, expression, turn, _, _ = self.split(unknowns)
        shape = (
            self.mean - self.middle + self.identity @ identity + np.einsum("nce,te->tnc", self.expression, expression)
        )
        return np.einsum("tij,tnj->tni", rotations(turn), shape / self.unit)

    def residuals(self, unknowns: np.ndarray) -> np.ndarray:
        """Of landmarks, then of the priors."""
        identity, expression, turn, scale, place = self.split(unknowns)
        seen = scale[:, None, None] * self.turned(unknowns)[..., :2] + place[:, None]
        parts = (
            self.weight * (seen - self.observed), self.expression_weight * expression, self.turn_weight * turn,
            self.identity_weight * identity,
        )  # fmt: skip
        return np.concatenate([part.ravel() for part in parts])

    def jacobian(self, unknowns: np.ndarray) -> csr_array:
        """Derivatives of the residuals; few of them are not zero, as a frame's unknowns are its own."""
        _, _, turn, scale, _ = self.split(unknowns)
        turned, axes = self.turned(unknowns), rotations(turn)[:, :2] * (scale / self.unit)[:, None, None]
        ways = np.concatenate([self.identity, self.expression], axis=2)
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
        """Columns of the derivatives that are not zero, where each row's begin, and the size of the matrix."""
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
        """Identity, expressions and cameras in pixels, of the model around its own origin."""
        identity, expression, turn, scale, place = self.split(unknowns)
        pixels = self.radius * scale / self.unit
        origin = self.radius * place - pixels[:, None] * (rotations(turn) @ self.middle)[:, :2]
        camera = np.column_stack([turn, pixels, self.centre + origin * (1.0, -1.0)])
        return identity, expression, camera

    def error(self, identity: np.ndarray, expression: np.ndarray, camera: np.ndarray) -> float:
        """RMS distance of the fitted landmarks, in lengths of the radius."""
        shape = self.mean + self.identity @ identity + np.einsum("nce,te->tnc", self.expression, expression)
        observed = self.observed * (1.0, -1.0) * self.radius + self.centre
        return float(np.sqrt(((to_image_space(shape, camera) - observed) ** 2).sum(axis=2).mean()) / self.radius)
