"""The compare page: runs and models side by side, and on the same images."""
