"""Configs as flat files of plain PyTorch: one page to read, without registries and configs."""

from i2vkit.analysis.source.writing import source_of_config, write_source

__all__ = ["source_of_config", "write_source"]
