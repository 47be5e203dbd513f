"""Refiners: from a whole generated video to a better one. None is registered yet; FRGAN brings the first."""
