"""A decoder that warps the input image."""
