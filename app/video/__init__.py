"""The video page: where the file comes from, its analysis, and what came of it."""
