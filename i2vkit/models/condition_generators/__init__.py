"""Condition generators: what makes condition maps in preparation. None is registered yet; FRGAN brings two."""
