"""Readers for every form in which people hold FER-2013."""
