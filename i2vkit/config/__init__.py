"""Configs: found, changed from the command line, checked, and traced to the file that each value comes from."""
