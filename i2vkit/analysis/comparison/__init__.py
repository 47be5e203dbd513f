"""Comparison of results: which are comparable, paired differences, and the report."""
