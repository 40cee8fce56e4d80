"""From an image to expressions: the served model and what stands around it."""
