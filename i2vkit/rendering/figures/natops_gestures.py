"""The 24 aircraft handling gestures of NATOPS, from rest to rest."""

import numpy as np

from i2vkit.rendering.figures.poses import INDEX, FigureMotion, Keys, Poses, arm, arms, rest

FPS = 20.0
_FIST, _THUMB, _FLAT, _POINT = dict(open=0.0), dict(open=0.0, thumb=1.0), dict(open=1.0), dict(open=0.0, point=1.0)


def _both(left: Keys, right: Keys) -> Keys:
    """Combine the keys of the left arm and the right arm."""
    return left | right


def _choreography() -> dict[str, list[Keys]]:
    """Return the key poses of each gesture, at even times. A pose that occurs twice in a row is held."""
    up_palms = arms((150, 20), (178, 20), hand_roll=90, **_FLAT)
    clear = arm("r", (28, 40), (128, 78), **_THUMB)
    not_clear = arm("r", (48, 15), (88, 30), hand_roll=160, **_THUMB)
    crossed = arms((52, 62), (108, 158), **_FLAT)
    spread = arms((90, 2), (90, 2), **_FLAT)
    lock = _both(arm("r", (30, 50), (166, 50), **_FIST), arm("l", (52, 84), (94, 166), **_FLAT))
    unlock = _both(arm("r", (30, 50), (166, 50), **_FIST), arm("l", (34, 40), (70, 96), **_FLAT))
    palm = arm("l", (54, 66), (94, 150), hand_roll=60, **_FLAT)
    hook_low, hook_high = (arm("r", (4, 60), (52, 118), **_THUMB), arm("r", (10, 70), (84, 128), **_THUMB))
    down_high = arm("r", (70, 62), (104, 128), hand_roll=180, **_THUMB)
    down_low = arm("r", (40, 66), (88, 132), hand_roll=180, **_THUMB)
    ahead_low, ahead_high = (
        arms((52, 44), (98, 62), hand_roll=-90, **_FLAT),
        arms((66, 40), (168, 50), hand_roll=-90, **_FLAT),
    )
    chocks_in, chocks_out = (10, 50), (38, 20)
    slow = (arms((72, 52), (88, 56), hand_roll=60, **_FLAT), arms((42, 50), (52, 54), hand_roll=60, **_FLAT))
    stop_open, stop_crossed = arms((130, 14), (164, 14), **_FIST), arms((174, 30), (240, 6), **_FIST)
    aside = _both(arm("r", (88, 4), (88, 4), **_POINT), arm("l", (70, 72), (92, 168), **_POINT))
    fan = [arm("r", (44, 52), (up, round_), **_FLAT) for up, round_ in ((140, 100), (140, 20), (140, 100))]
    low_point = arm("l", (40, 8), (42, 8), **_POINT)
    held = arms((78, 14), (168, 40), hand_roll=90, **_FLAT)
    fists = arms((78, 14), (168, 40), hand_roll=90, **_FIST)
    circle = [(58, 84), (86, 60), (66, 24), (34, 54)]
    eight = [(150, 160), (120, 30), (72, 120), (56, 20), (110, 100)]
    return {
        "gesture01": [up_palms, up_palms, up_palms],
        "gesture02": [clear, clear, clear],
        "gesture03": [not_clear, not_clear, not_clear],
        "gesture04": [crossed, crossed, spread, spread],
        "gesture05": [spread, spread, crossed, crossed],
        "gesture06": [unlock, lock, unlock, lock, lock],
        "gesture07": [_both(palm, hook_low), _both(palm, hook_high), _both(palm, hook_low), _both(palm, hook_high)],
        "gesture08": [_both(palm, down_high), _both(palm, down_low), _both(palm, down_high), _both(palm, down_low)],
        "gesture09": [arms((40, 50), around, **_FIST) for around in ((96, 150), (96, 150), (80, 20), (50, 10))],
        "gesture10": [
            arms(chocks_in, (34, 140), hand_roll=-80, **_THUMB),
            arms(chocks_out, (46, 4), hand_roll=-80, **_THUMB),
        ]
        * 2,
        "gesture11": [
            arms(chocks_out, (52, 4), hand_roll=100, **_THUMB),
            arms(chocks_in, (38, 140), hand_roll=100, **_THUMB),
        ]
        * 2,
        "gesture12": [ahead_low, ahead_high] * 3,
        "gesture13": [
            arm("r", (62, 4), (62, 4), **_POINT) | arm("l", (66, 40), up, hand_roll=-90, **_FLAT)
            for up in ((98, 40), (168, 60)) * 3
        ],
        "gesture14": [
            arm("l", (62, 4), (62, 4), **_POINT) | arm("r", (66, 40), up, hand_roll=-90, **_FLAT)
            for up in ((98, 40), (168, 60)) * 3
        ],
        "gesture15": [aside, aside, aside],
        "gesture16": [slow[0], slow[1]] * 3,
        "gesture17": [stop_open, stop_crossed, stop_crossed, stop_crossed],
        "gesture18": [
            arm("r", (60, 84), (138, 158), **_POINT) | arm("l", (86, 6), (86, 6), **_POINT),
            arm("r", (62, 88), (140, 162), **_POINT) | arm("l", (86, 6), (86, 6), **_POINT),
            arm("r", (86, 6), (86, 6), **_POINT) | arm("l", (86, 6), (86, 6), **_POINT),
        ],
        "gesture19": [low_point | key for key in (*fan, *fan[1:], *fan[1:])],
        "gesture20": [held, held, fists, fists],
        "gesture21": [fists, fists, held, held],
        "gesture22": [arms((30, 50), around, **_FIST) for around in (*circle, *circle)],
        "gesture23": [low_point | arm("r", (70, 30), around, **_FLAT) for around in (*eight, *eight)],
        "gesture24": [arm("r", (66, 58), (96, around), hand_roll=-60, **_FLAT) for around in (170, 60, 168, 50)],
    }


def natops_motion(rng: np.random.Generator, action: str) -> FigureMotion:
    """Draw one random repeat of a gesture. The first and the last pose are the same, with hanging arms."""
    keys = _choreography()[action]
    seconds = min(0.75 + 0.26 * len(keys) + rng.uniform(0.3, 0.6), 2.8) * rng.uniform(0.88, 1.1)
    num_frames = int(np.clip(round(seconds * FPS), 25, 60))
    poses = Poses(num_frames)
    start, stop = rng.uniform(0.2, 0.26), rng.uniform(0.74, 0.8)
    times = np.linspace(start, stop, len(keys)) + rng.uniform(-0.008, 0.008, len(keys))
    still = rest()
    moved = [(time, still | key) for time, key in zip(times, keys, strict=True)]
    poses.key((0.03, still), *moved, (0.97, still))
    _style(poses, rng)
    return FigureMotion("natops", action, FPS, 0.0, poses.array)


def _style(poses: Poses, rng: np.random.Generator) -> None:
    """Vary the size of the gesture, and let the body move along a little. Both ends stay at rest."""
    resting = poses.array[:1].copy()
    for side in "lr":
        for name in ("arm_up", "arm_round", "fore_up", "fore_round"):
            column = INDEX[f"{side}_{name}"]
            moved = poses.array[:, column] - resting[:, column]
            poses.array[:, column] = resting[:, column] + moved * rng.uniform(0.95, 1.05)
    # The window is 0 at both ends, where the body is at rest.
    window = np.sin(np.pi * poses.time) ** 2
    for channel, degrees in (("nod", 3.0), ("turn", 5.0), ("tilt", 2.5), ("lean", 1.8), ("twist", 3.5), ("bend", 1.5)):
        wave = np.sin(rng.uniform(3.0, 7.0) * poses.time + rng.uniform(0.0, 2.0 * np.pi))
        poses[channel] = rng.normal(0.0, degrees) * window * wave
    poses["x"] = rng.normal(0.0, 0.012) * window
