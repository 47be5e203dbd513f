"""The data set i2v-truth-v1, whose exact ground truth measures models.

See docs/truth_benchmark.md for its definition.
"""
