"""The set with exact ground truth that models are measured by, i2v-truth-v1; docs/truth_benchmark.md defines it."""
