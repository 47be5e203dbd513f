"""Video metrics compared by known degradations of exact ground truth, see docs/metrics_and_motion.md."""
