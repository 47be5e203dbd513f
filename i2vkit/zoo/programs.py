"""Generators as programs that run without i2vkit: torch.export (.pt2) and ONNX."""

from __future__ import annotations

import json
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn

from i2vkit.apis.inputs import inference_config
from i2vkit.apis.variants import length_of
from i2vkit.config.data_facts import fill_in_stored_facts
from i2vkit.datasets.loaders import trained_length
from i2vkit.errors import ConfigError
from i2vkit.media.files import atomic_path
from i2vkit.models.generation_state import GenerationState
from i2vkit.models.generator import Generator
from i2vkit.models.generator_weights import check_generator, load_generator
from i2vkit.models.part_calls import flag
from i2vkit.models.training.passes import Pass
from i2vkit.registry import MODELS, build_part
from i2vkit.structures import VideoBatch
from i2vkit.values import check_output_file

# The packages by which torch writes ONNX; the extra `onnx` of i2vkit installs them.
_ONNX = ("onnx", "onnxscript")


class GivenNoise(GenerationState):
    """A generation state whose random draws are given, in the order in which the parts ask for them.

    Args:
        draws: Tensors (B, ...), or (B, T, ...) for draws of each frame. With None, draws are made and kept in
            ``draws``, to find out which ones a generator needs.
    """

    def __init__(self, draws: list[Tensor] | None = None) -> None:
        super().__init__(seeds=[0])
        self.recording, self.draws = draws is None, list(draws or ())
        self._given = iter(self.draws)
        self._kept: dict[tuple[nn.Module, str], Tensor] = {}

    def _draw(self, part, name, shape, like, sampler) -> Tensor:
        if (part, name) not in self._kept:
            self._kept[part, name] = self._next(lambda: super(GivenNoise, self)._draw(part, name, shape, like, sampler))
        return self._kept[part, name]

    def normal_per_frame(self, part, name, length, shape, like=None) -> Tensor:
        """See ``GenerationState``."""
        return self._next(lambda: super(GivenNoise, self).normal_per_frame(part, name, length, shape, like))

    def _next(self, make) -> Tensor:
        if not self.recording:
            return next(self._given)
        self.draws.append(make())
        return self.draws[-1]


class GeneratorProgram(nn.Module):
    """A generator with only tensors as inputs and output.

    ``forward`` takes ``image`` (1, 3, H, W) in [-1, 1]. If the generator reads them, it also takes ``driving`` (1, 3,
    T, H, W), ``driving_maps`` (1, M, T, H, W), ``image_maps`` (1, M, H, W), ``landmarks`` (1, T, N, 2) and
    ``image_landmarks`` (1, N, 2) in pixels, ``label`` (1,) and ``noise``, a list of tensors. It returns a video (1, 3,
    T, H, W) in [-1, 1].

    Args:
        model: An ``ImageToVideoGan``.
        length: Number of frames T.
    """

    def __init__(self, model: Any, length: int) -> None:
        super().__init__()
        self.generator: Generator = model.generator
        self.image_size, self.length = model.image_size, length

    def forward(
        self,
        image: Tensor,
        driving: Tensor | None = None,
        driving_maps: Tensor | None = None,
        image_maps: Tensor | None = None,
        landmarks: Tensor | None = None,
        image_landmarks: Tensor | None = None,
        label: Tensor | None = None,
        noise: list[Tensor] | None = None,
    ) -> Tensor:
        """Return the video, see the class."""
        maps = dict(driving_maps=driving_maps, image_maps=image_maps)
        points = dict(landmarks=landmarks, image_landmarks=image_landmarks)
        return self.run(GivenNoise(noise or []), image, driving, label=label, **maps, **points)

    def run(self, state: GenerationState, image: Tensor, driving: Tensor | None = None, **given: Tensor | None):
        """Return the video, with draws from ``state``. ``given`` are further fields of the ``VideoBatch``."""
        if driving is None:
            driving = image.new_zeros(1, 3, self.length, self.image_size, self.image_size)
        clip = VideoBatch(driving, image=image, **given)
        generator = self.generator
        content = generator.encode_content(clip, "image")
        entry = Pass(motion="prior" if generator.motion_encoder is None else "driving")
        motion = generator.motion_of(clip, entry, state, content)
        return generator.make(content, motion, clip, state, entry).video

    def example(self, num_labels: int) -> dict[str, Any]:
        """Return inputs of the right shapes. Their values do not matter for the program."""
        size, generator, draws = self.image_size, self.generator, torch.Generator().manual_seed(0)

        def picture(channels: int, *length: int) -> Tensor:
            return torch.rand(1, channels, *length, size, size, generator=draws) * 2 - 1

        inputs: dict[str, Any] = {"image": picture(3)}
        if generator.reads_maps:
            inputs["driving_maps"] = picture(generator.map_channels, self.length)
            inputs["image_maps"] = picture(generator.map_channels)
        elif number := generator.landmarks_read:
            inputs["landmarks"] = size * torch.rand(1, self.length, number, 2, generator=draws)
            inputs["image_landmarks"] = size * torch.rand(1, number, 2, generator=draws)
        elif generator.motion_encoder is not None and not flag(generator.motion_encoder, "reads_past"):
            inputs["driving"] = picture(3, self.length)
        if generator.reads_label:
            inputs["label"] = torch.zeros(1, dtype=torch.long)
        state = GivenNoise()
        with torch.no_grad():
            self.run(state, **inputs)
        return inputs | ({"noise": state.draws} if state.draws else {})


def export_program(
    cfg: Config, checkpoint: str | Path, out: str | Path, kind: str = "pt2", length: int | None = None
) -> str:
    """Write a trained generator as a program for one image and videos of one length, and return its inputs in words.

    Args:
        cfg: The config.
        checkpoint: A ``.pth``, a work dir or a ``.safetensors``.
        out: The file, ``.pt2`` or ``.onnx``.
        kind: "pt2" for ``torch.export.load`` (the default), or "onnx".
        length: Frames of the videos. By default the length that the config trains on.

    Raises:
        ConfigError: The suffix is another one, the generator cannot make this length, packages for ONNX are missing, or
            torch cannot export the generator. The message says why.
        CheckpointError: As ``load_generator``.
    """
    out = Path(out)
    if out.suffix != f".{kind}":
        raise ConfigError(f"a program of this format is written to a .{kind} file, not to {out}")
    if kind == "onnx" and (missing := [name for name in _ONNX if find_spec(name) is None]):
        raise ConfigError(
            f"torch writes ONNX by packages that are not installed ({', '.join(missing)}): pip install 'i2vkit[onnx]', "
            f"or export a .pt2, which needs none"
        )
    check_output_file(out)
    fill_in_stored_facts(cfg, checkpoint)
    model: Any = build_part(MODELS, inference_config(cfg))
    check_generator(model)
    load_generator(model, checkpoint)
    model.eval().requires_grad_(False)
    length = length_of(model.generator, length, trained_length(cfg))
    program = GeneratorProgram(model, length).eval()
    inputs = program.example(len(model.labels))
    try:
        with warnings.catch_warnings(), atomic_path(out) as temporary:
            # torch warns about the flat weights of recurrent layers, which are the same tensors as their parameters.
            warnings.filterwarnings("ignore", message="The tensor attributes? ")
            exported = torch.export.export(program, (), inputs)
            if kind == "onnx":
                torch.onnx.export(exported, (), str(temporary), dynamo=True)
            else:
                facts = {"inputs.json": json.dumps(shapes(inputs)), "labels.json": json.dumps(list(model.labels))}
                torch.export.save(exported, temporary, extra_files=facts)
    except Exception as error:  # torch raises many things for what it cannot trace
        raise ConfigError(
            f"torch cannot export this generator ({type(model.generator.decoder).__name__}, "
            f"{type(model.generator.motion_encoder).__name__}) as {kind}: {_first_line(error)}"
        ) from error
    return ", ".join(f"{name} {shape}" for name, shape in shapes(inputs).items())


def shapes(inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of each input, and for ``noise`` a list of shapes."""
    return {
        name: [list(one.shape) for one in value] if isinstance(value, list) else list(value.shape)
        for name, value in inputs.items()
    }


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
