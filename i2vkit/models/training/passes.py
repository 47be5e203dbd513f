"""A pass: which content meets which motion, and which real video the result is compared with."""

from dataclasses import dataclass, fields

from i2vkit.errors import ConfigError

# The allowed values of every field.
PASS_CHOICES: dict[str, tuple] = {
    "content": ("driving", "image"),
    "motion": ("driving", "prior"),
    "target": ("driving", "image_video"),
    "content_per_frame": (False, True),
    "feed": ("own", "truth"),
}


@dataclass(frozen=True)
class Pass:
    """One way to generate a video from a batch.

    Args:
        content: "driving", the first frame of the driving clip, or "image", the image to animate.
        motion: "driving", encoded from the driving clip, or "prior", drawn from the prior (label, noise). With a part
            that reads the frames before, "prior" means "without a driving video".
        target: "driving" or "image_video", the real video that discriminators and reconstruction losses compare with.
        content_per_frame: If true, use the content code of every driving frame instead of the first one's (Dual-MTGAN,
            eq. 3).
        feed: Read where a part reads the frames before: "own" feeds the generator's own frames back, step by step;
            "truth" feeds those of the driving clip, all steps at once (teacher forcing).
        observed: Read where a part reads the frames before: the number of leading frames of the driving clip that are
            given. Frames behind them are made, and the decoder's pyramid is that of the last one. Default 1. With
            ``feed="truth"`` all frames but the first are made and compared.

    Raises:
        ConfigError: For a value that is none of these, and for combinations that contradict each other.

    Examples:
        >>> Pass(content="image", target="image_video").motion
        'driving'
        >>> Pass(motion="noise")
        Traceback (most recent call last):
        i2vkit.errors.ConfigError: a pass has motion in ('driving', 'prior'), not 'noise'
    """

    content: str = "driving"
    motion: str = "driving"
    target: str = "driving"
    content_per_frame: bool = False
    feed: str = "own"
    observed: int = 1

    def __post_init__(self) -> None:
        for f in fields(self):
            if f.name in PASS_CHOICES and getattr(self, f.name) not in PASS_CHOICES[f.name]:
                raise ConfigError(f"a pass has {f.name} in {PASS_CHOICES[f.name]}, not {getattr(self, f.name)!r}")
        # An image has no frames of its own to encode.
        if self.content_per_frame and self.content != "driving":
            raise ConfigError('content_per_frame=True encodes the frames of the driving clip; set content="driving"')
        if self.observed < 1 or (self.observed > 1 and self.content != "driving"):
            raise ConfigError(
                f"a pass has observed={self.observed}: give the number of driving frames that are given, 1 or more, "
                f'and content="driving" for more than one'
            )
        # Teacher forcing needs true frames of the person who is animated.
        if self.feed == "truth" and self.content != "driving":
            raise ConfigError(
                'feed="truth" makes each frame from the one before in the driving clip; set content="driving"'
            )


def build_passes(config: dict[str, dict]) -> dict[str, Pass]:
    """Build the passes of a model config, by name.

    Args:
        config: By name, the arguments of each ``Pass``.

    Raises:
        ConfigError: For an unknown key, and as ``Pass``.
    """
    known = [f.name for f in fields(Pass)]  # the keys that a config may give
    for name, entry in config.items():
        if unknown := [key for key in entry if key not in known]:
            raise ConfigError(f"pass '{name}' has an unknown key '{unknown[0]}'; known: {', '.join(known)}")
    return {name: Pass(**entry) for name, entry in config.items()}
