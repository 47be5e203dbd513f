"""Motion transfer measured against exact ground truth on i2v-truth-v1, see docs/truth_benchmark.md."""

from i2vkit.analysis.truth_benchmark.reference_scores import score_references
from i2vkit.analysis.truth_benchmark.scoring import combine, format_intervals, format_ranking, rank, score_truth

__all__ = ["format_ranking", "combine", "format_intervals", "rank", "score_references", "score_truth"]
