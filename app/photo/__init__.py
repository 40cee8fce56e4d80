"""The photo page: pictures of one browser tab and what was found in them."""
