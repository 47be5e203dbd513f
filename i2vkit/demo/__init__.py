"""The web demo: a page on which people animate an image, and compare models.

``models`` loads them, ``animating`` makes videos, and neither needs Gradio. ``page`` shows them with it.
"""
