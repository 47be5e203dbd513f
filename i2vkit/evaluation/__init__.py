"""How results are scored: metrics (what a video is worth) and protocols (what is generated from what)."""
