"""The command line, one module a command; see `pipeline.__main__`."""
