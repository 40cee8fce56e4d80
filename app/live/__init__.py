"""The live-video bridge: frames from the browser in, marked frames and results out."""
