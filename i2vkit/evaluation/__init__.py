"""Evaluation: protocols, which decide what is generated, and metrics, which score it."""
