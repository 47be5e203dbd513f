"""Benchmarks of the toolkit against reference implementations, one function for each `i2v benchmark` sub-command."""

from i2vkit.analysis.benchmark.condition_maps import benchmark_maps
from i2vkit.analysis.benchmark.data import benchmark_data
from i2vkit.analysis.benchmark.decoder import benchmark_decoder
from i2vkit.analysis.benchmark.indexing import benchmark_index
from i2vkit.analysis.benchmark.step import benchmark_step

__all__ = ["benchmark_data", "benchmark_decoder", "benchmark_index", "benchmark_maps", "benchmark_step"]
