"""A pass: what content meets what motion, and what the result is compared with."""

from dataclasses import dataclass, fields

from i2vkit.errors import ConfigError

_CHOICES = {
    "content": ("driving", "image"),
    "motion": ("driving", "prior"),
    "target": ("driving", "image_video"),
    "content_per_frame": (False, True),
    "feed": ("own", "truth"),
}


@dataclass(frozen=True)
class Pass:
    """One way to generate a video from a batch.

    ``content`` is the first frame of the driving clip or the image; ``motion`` is encoded from the driving clip or
    drawn from the prior (label, noise); ``target`` is the video that discriminators and reconstruction compare with;
    with ``content_per_frame=True`` the content code of every driving frame is used instead of the first one's
    (Dual-MTGAN, eq. 3). ``feed`` is read where a part reads the frames before: "own" stands for the generator's own
    frames, step by step, and "truth" for those of the driving clip (teacher forcing), all steps at once. With such a
    part ``motion="prior"`` means "without a driving video".

    Raises:
        ConfigError: for a value that is none of these.
    """

    content: str = "driving"
    motion: str = "driving"
    target: str = "driving"
    content_per_frame: bool = False
    feed: str = "own"

    def __post_init__(self):
        for f in fields(self):
            if getattr(self, f.name) not in _CHOICES[f.name]:
                raise ConfigError(f"a pass has {f.name} in {_CHOICES[f.name]}, not {getattr(self, f.name)!r}")
        if self.content_per_frame and self.content != "driving":
            raise ConfigError('content_per_frame=True encodes the frames of the driving clip; set content="driving"')
        if self.feed == "truth" and self.content != "driving":
            raise ConfigError(
                'feed="truth" makes each frame from the one before in the driving clip; set content="driving"'
            )


def build_passes(config: dict[str, dict]) -> dict[str, Pass]:
    """The passes of a model config, by name."""
    known = [f.name for f in fields(Pass)]
    for name, entry in config.items():
        if unknown := [key for key in entry if key not in known]:
            raise ConfigError(f"pass '{name}' has an unknown key '{unknown[0]}'; known: {', '.join(known)}")
    return {name: Pass(**entry) for name, entry in config.items()}
