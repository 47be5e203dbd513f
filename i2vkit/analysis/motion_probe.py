"""Probes of a motion encoder's trajectory: does it tell the motion, and does it give away who moves?

You can run them before a decoder is trained on the trajectory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import torch
from torch import Tensor

from i2vkit.datasets import ClipDataset
from i2vkit.errors import ConfigError
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.generator import call_with_content
from i2vkit.models.losses.change_losses import frame_change
from i2vkit.structures import VideoBatch

RIDGES = (1e1, 1e2, 1e3, 1e4)


@dataclass(frozen=True)
class Trajectories:
    """The motion states of a data set, one entry per clip.

    Attributes:
        states: Motion states (T - 1, D) of each clip, from frame 1 on.
        changes: Coarse grey changes against frame 0, (T - 1, 256), of the same frames.
        people: The person in each clip.
        labels: The label of each clip, as text.
    """

    states: list[Tensor]
    changes: list[Tensor]
    people: list[str]
    labels: list[str]


@torch.no_grad()
def encode(model, dataset: ClipDataset) -> Trajectories:
    """Encode every driving clip of ``dataset`` once, even if it drives several images.

    Raises:
        ConfigError: The generator has no trajectory.
    """
    found, seen = Trajectories([], [], [], []), set()
    for index in range(len(dataset)):
        item = dataset[index]
        sample = item["data_samples"]
        if sample.driving_name in seen:
            continue
        seen.add(sample.driving_name)
        inputs = {name: [value] for name, value in item["inputs"].items()}
        clip = model.data_preprocessor(dict(inputs=inputs, data_samples=[sample]))["clip"]
        # Frame 0 is left out: its change against itself is always zero.
        found.states.append(trajectory(model.generator, clip)[0, 1:].float())
        found.changes.append(frame_change(clip.driving)[0, 1:])
        found.people.append(sample.driving_person)
        found.labels.append(str(sample.get("label_name")))
    return found


def trajectory(generator, clip: VideoBatch) -> Tensor:
    """Return the motion states (B, T, D) of ``clip.driving``.

    They come from the motion encoder, or from the motion generator that unrolls the encoder's code.

    Raises:
        ConfigError: The generator has no motion encoder, or nothing unrolls its code.
    """
    if generator.motion_encoder is None:
        raise ConfigError("this generator has no motion encoder, so there is nothing to probe")
    # The trajectory must not depend on random numbers, so the state has no seeds.
    state = GenerationState()
    state.set_batch(clip.driving)
    motion = generator.encode_motion(clip, state)
    if motion.trajectory is None and generator.motion_generator is not None:
        content = generator.encode_content(clip)
        motion = call_with_content(generator.motion_generator, motion, state, content)
    if motion.trajectory is None:
        raise ConfigError(
            f"{type(generator.motion_encoder).__name__} gives one code a clip and nothing unrolls it: there is no "
            f"trajectory to probe"
        )
    return motion.trajectory


def change_probe_r2(train: Trajectories, val: Trajectories) -> tuple[float, float]:
    """Return R^2 on ``train`` and on ``val`` of a ridge regression from motion state to coarse grey change.

    The regression is fitted on ``train``. Of the four ridge weights in ``RIDGES`` the one that is best on ``val``
    counts.
    """
    states, others = torch.cat(train.states), torch.cat(val.states)
    scale = states.std(dim=0) + 1e-6
    own, other = torch.cat(train.changes), torch.cat(val.changes)
    return max(
        (ridge(states / scale, own, others / scale, other, weight) for weight in RIDGES), key=lambda pair: pair[1]
    )


def ridge(
    inputs: Tensor, targets: Tensor, inputs_val: Tensor, targets_val: Tensor, weight: float
) -> tuple[float, float]:
    """Fit a ridge regression and return its R^2 (against no change) on its own data and on the validation data."""
    # (D, D), and below (D, 256): the normal equations of the ridge regression.
    covariance = inputs.T @ inputs + weight * torch.eye(inputs.shape[1])
    solution = torch.linalg.solve(covariance, inputs.T @ targets)

    def score(x: Tensor, y: Tensor) -> float:
        return (1 - (x @ solution - y).square().sum() / y.square().sum()).item()

    return score(inputs, targets), score(inputs_val, targets_val)


def person_probe_accuracy(train: Trajectories, val: Trajectories) -> tuple[float, float]:
    """Return how often the mean state of a clip identifies the driving person of ``val``, and the chance level.

    A clip is assigned to the person with the nearest centre, computed over the clips of all other labels. Each
    coordinate is divided by its standard deviation in ``train``. If a code identifies the driving person, that person's
    looks can leak into the generated video together with the motion.

    Returns:
        The share of correct assignments and 1 / people. (nan, nan) if fewer than two people have clips of two labels.
    """
    scale = torch.cat(train.states).std(dim=0) + 1e-6
    means = torch.stack([(states / scale).mean(dim=0) for states in val.states])
    right, asked = 0, 0
    for label in sorted(set(val.labels)):
        # Centres come from other labels, so that a state that only tells the label does not identify the person.
        others = [i for i, own in enumerate(val.labels) if own != label]
        centres = _centres(means[others], [val.people[i] for i in others])
        if len(centres) < 2:
            continue
        names, places = list(centres), torch.stack(list(centres.values()))
        for i in (i for i, own in enumerate(val.labels) if own == label and val.people[i] in centres):
            # (people, D) - (D,) -> (people,): the distance from each centre.
            right += names[int((places - means[i]).norm(dim=1).argmin())] == val.people[i]
            asked += 1
    return (right / asked, 1 / len(set(val.people))) if asked else (nan, nan)


def format_probe(name: str, train: Trajectories, val: Trajectories) -> str:
    """Format the results of both probes as one line of text that begins with ``name``."""
    own, others = change_probe_r2(train, val)
    right, chance = person_probe_accuracy(train, val)
    who = (
        f"who drives, by the nearest centre: {right:.2f} right, chance {chance:.2f} ({len(val.people)} clips)"
        if right == right
        else "who drives: needs two validation people with two labels each"
    )
    return f"{name}: R^2 of the change of the picture, training {own:.3f}, validation {others:.3f}; {who}"


def _centres(points: Tensor, people: Sequence[str]) -> dict[str, Tensor]:
    """Return the mean of the points (N, D) of each person."""
    return {
        person: torch.stack([point for point, own in zip(points, people, strict=True) if own == person]).mean(dim=0)
        for person in dict.fromkeys(people)
    }
