"""How fast the toolkit is, measured against something plain: one function a benchmark, named as on the command line."""

from i2vkit.apis.benchmark.data import benchmark_data

__all__ = ["benchmark_data"]
