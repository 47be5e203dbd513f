"""Results side by side: what may stand in one column, paired differences, and the report."""
