"""Faults put into short runs on purpose: each interruption point is a place to die, or to fail, in turn."""
