"""The set with exact truth that models are measured by, i2v-truth-v1; docs/truth_benchmark.md defines it."""
