"""Motion transfer measured against exact truth, on i2v-truth-v1: docs/truth_benchmark.md."""

from i2vkit.analysis.exact_truth.references import score_references
from i2vkit.analysis.exact_truth.scoring import as_table, combine, intervals_as_text, rank, score_truth

__all__ = ["as_table", "combine", "intervals_as_text", "rank", "score_references", "score_truth"]
