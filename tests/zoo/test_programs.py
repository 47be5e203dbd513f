"""Generators exported by torch.export make the frames that they make in i2vkit."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from narrow import LABELS, NARROW, SIZE, gan_config

from i2vkit.errors import ConfigError
from i2vkit.registry import MODELS
from i2vkit.zoo import programs
from i2vkit.zoo.programs import GeneratorProgram, export_program

BY_LABEL = dict(
    motion_encoder=None,
    motion_generator=NARROW["NoiseGru"],
    decoder=NARROW["FrameDecoder"],
    content_encoder=NARROW["ConvPyramidEncoder"],
)


def trained(tmp_path, **changes):
    """A config, a checkpoint and the model that it holds."""
    cfg, path = Config(dict(model=gan_config(**changes))), tmp_path / "model.pth"
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    with torch.no_grad():
        for value in model.generator.parameters():
            value.add_(0.3 * torch.randn_like(value))
    torch.save({"state_dict": model.state_dict()}, path)
    return cfg, path, model


def test_a_program_makes_the_same_frames(tmp_path):
    cfg, path, model = trained(tmp_path)
    said = export_program(cfg, path, tmp_path / "p.pt2", length=4)
    assert said.startswith(f"image [1, 3, {SIZE}, {SIZE}], driving [1, 3, 4, {SIZE}, {SIZE}]")
    facts = {"inputs.json": "", "labels.json": ""}
    loaded = torch.export.load(tmp_path / "p.pt2", extra_files=facts).module()
    plain = GeneratorProgram(model, 4)
    inputs = plain.example(0)
    assert json.loads(facts["inputs.json"])["image"] == [1, 3, SIZE, SIZE]
    inputs["image"] = torch.rand_like(inputs["image"])
    inputs["driving"] = torch.rand_like(inputs["driving"])
    with torch.no_grad():
        found, expected = loaded(**inputs), plain(**inputs)
        seeded = next(model.generate_chunks([_clip(inputs)], [5], inputs["image"])).video
    assert expected.shape == (1, 3, 4, SIZE, SIZE) and expected.std() > 0.01
    assert (found - expected).abs().max() < 1e-4
    assert np.ptp(seeded.numpy()) > 0


def _clip(inputs):
    from i2vkit.structures import VideoBatch

    return VideoBatch(inputs["driving"], image=inputs["image"])


def test_label_and_noise_are_inputs(tmp_path):
    cfg, path, model = trained(tmp_path, generator=BY_LABEL, labels=LABELS, discriminators={}, phases={}, frozen=[])
    said = export_program(cfg, path, tmp_path / "p.pt2", length=4)
    assert "driving" not in said and "label [1], noise [[" in said
    loaded = torch.export.load(tmp_path / "p.pt2").module()
    inputs = GeneratorProgram(model, 4).example(len(LABELS))
    with torch.no_grad():
        one = loaded(**inputs)
        other = loaded(**inputs | {"noise": [torch.randn_like(value) for value in inputs["noise"]]})
        third = loaded(**inputs | {"label": inputs["label"] + 1})
        assert (one - GeneratorProgram(model, 4)(**inputs)).abs().max() < 1e-4
    assert (one - other).abs().max() > 1e-3 and (one - third).abs().max() > 1e-3


def test_what_cannot_be_exported_is_said(tmp_path, monkeypatch):
    cfg, path, _ = trained(tmp_path)
    with pytest.raises(ConfigError, match=r"written to a \.pt2 file, not to .*model\.onnx"):
        export_program(cfg, path, tmp_path / "model.onnx")
    monkeypatch.setattr(programs, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"not installed \(onnx, onnxscript\): pip install 'i2vkit\[onnx\]'"):
        export_program(cfg, path, tmp_path / "model.onnx", "onnx")
    monkeypatch.setattr(torch.export, "export", lambda *_: _raise(RuntimeError("first line\nsecond")))
    with pytest.raises(ConfigError, match=r"cannot export this generator \(UNetDecoder, .*\) as pt2: first line$"):
        export_program(cfg, path, tmp_path / "p.pt2", length=4)
    assert not (tmp_path / "p.pt2").exists()


def _raise(error):
    raise error
