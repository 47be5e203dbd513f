"""Measure the speed of the toolkit against a reference: one function per benchmark, named as on the command line."""

from i2vkit.analysis.benchmark.condition_maps import benchmark_maps
from i2vkit.analysis.benchmark.data import benchmark_data
from i2vkit.analysis.benchmark.decoder import benchmark_decoder
from i2vkit.analysis.benchmark.step import benchmark_step

__all__ = ["benchmark_data", "benchmark_decoder", "benchmark_maps", "benchmark_step"]
