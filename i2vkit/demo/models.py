"""The models that the demo offers, loaded when they are first used, and used by one visitor at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from i2vkit.errors import ConfigError
from i2vkit.utils.distinct_names import distinct_names
from i2vkit.zoo.index import ZooEntry, read_index

if TYPE_CHECKING:
    from i2vkit.apis.inferencer import I2VInferencer

# The ways in which a visitor makes a model move an image.
DRIVING, LABEL, SAMPLES, WALK = "driving clip", "label", "random samples", "walk between two"
_DRIVEN = ("driving video", "face video", "landmarks", "silhouettes")


@dataclass(frozen=True)
class DemoModel:
    """The facts about a model that the page needs before it is loaded.

    Attributes:
        name: Its name on the page.
        motion: The sources of its motion, as in ``ZooEntry``.
        labels: Its labels, if it reads them.
        about: Its training data, in words.
    """

    name: str
    motion: tuple[str, ...]
    labels: tuple[str, ...] = ()
    about: str = ""

    @property
    def ways(self) -> list[str]:
        """Return the ways that the page offers for this model, the usual one first."""
        found = [DRIVING] if set(_DRIVEN) & set(self.motion) else []
        if "noise" in self.motion:
            return [*found, SAMPLES, WALK]
        return [*found, LABEL] if "label" in self.motion else found

    @property
    def reads_maps(self) -> bool:
        """Return True if condition maps of the driving clip drive the model."""
        return bool({"face video", "silhouettes"} & set(self.motion))


class Shelf:
    """The models of a demo by name.

    Args:
        models: Names of shipped models, work dirs and files, see ``find_pretrained``. By default all shipped models.
        device: The device to compute on. By default a GPU if there is one.

    Raises:
        ConfigError: A model is not found, or the page has no way to move an image with it.
        CheckpointError: A work dir or file is damaged.
    """

    def __init__(self, models: Sequence[str] = (), device: str | None = None) -> None:
        entries = read_index()
        self.device = device
        self._paths: dict[str, str] = {}
        self._loaded: dict[str, I2VInferencer] = {}
        self._facts: dict[str, DemoModel] = {}
        for name, given in zip(distinct_names([_short(word) for word in models]), models, strict=True):
            self._paths[name] = given
        for name in [] if models else entries:
            self._paths[name] = name
        self._locks = {name: Lock() for name in self._paths}
        for name, given in self._paths.items():
            self._facts[name] = _facts(entries[given]) if given in entries else self._examine(name)
            if not self._facts[name].ways:
                raise ConfigError(f"the page cannot move an image with {given}, whose motion is given by other files")

    @property
    def models(self) -> dict[str, DemoModel]:
        """Return the facts about all models by name."""
        return dict(self._facts)

    def facts(self, name: str) -> DemoModel:
        """Return the facts about a model. Raise ``ConfigError`` if the page has none of that name."""
        if name not in self._facts:
            raise ConfigError(f"this page has no model '{name}': choose one of {', '.join(self._facts)}")
        return self._facts[name]

    @contextmanager
    def using(self, name: str) -> Iterator[I2VInferencer]:
        """Yield the inferencer of a model. Others who want the same model wait until the body ends."""
        self.facts(name)
        with self._locks[name]:
            yield self._inferencer(name)

    def _inferencer(self, name: str) -> I2VInferencer:
        from i2vkit.apis.inferencer import I2VInferencer

        if name not in self._loaded:
            self._loaded[name] = I2VInferencer.from_pretrained(self._paths[name], device=self.device)
        return self._loaded[name]

    def _examine(self, name: str) -> DemoModel:
        """Return the facts about a model that no index lists, which is loaded for that."""
        from i2vkit.apis.motion_sources.declared import motion_words

        inferencer = self._inferencer(name)
        words = motion_words(inferencer.cfg, inferencer.model)
        return DemoModel(name, tuple(words), tuple(inferencer.labels), str(self._paths[name]))


def _facts(entry: ZooEntry) -> DemoModel:
    return DemoModel(entry.name, tuple(entry.motion), tuple(entry.labels), entry.data)


def _short(word: str) -> str:
    """Return a name for a model that visitors see: a shipped one's own, or the last part of a path."""
    return word if word in read_index() else Path(word).name or word
