"""The benchmark of condition maps measures the same picture by all candidates."""

import json

import numpy as np
import pytest

from i2vkit.analysis.benchmark import condition_maps as benchmark
from i2vkit.conditions import FaceMaps, procedural_model


def test_the_numbers_of_a_run():
    result = benchmark.benchmark_maps(seconds=0.0, size=32)
    assert result["triangles"]["large"] == 16 * result["triangles"]["built-in"]
    assert result["maps_per_second"]["built-in"] > result["maps_per_second"]["plain loop"]
    json.dumps(result)
    text = benchmark.format_maps(result)
    assert "maps of 32x32 a second" in text
    assert "clips of 60 frames" in text


def test_the_large_model_is_the_same_face():
    large, own = benchmark.large_model(), procedural_model()
    assert large.num_identity + large.num_expression == sum(benchmark.LARGE)
    generator = FaceMaps(64)
    generator.model = large
    face, same = benchmark.somebody(large, 64)[:1], benchmark.somebody(own, 64)[:1]
    face.identity[:], face.expression[:] = 0.0, 0.0
    same.identity[:], same.expression[:] = 0.0, 0.0
    difference = np.abs(generator(face).astype(int) - FaceMaps(64)(same))
    assert (difference > 24).mean() < 0.02  # 5 degrees and more, on edges that the finer mesh has not


def test_contenders_that_draw_something_else_are_no_measure(monkeypatch):
    monkeypatch.setattr(benchmark, "plain_mask", lambda points, triangles, size: np.zeros((size, size), bool))
    with pytest.raises(AssertionError, match="of the pixels differ"):
        benchmark.benchmark_maps(seconds=0.0, size=32)
