"""Configs: how they are found, changed from the command line, checked, and traced to the file of each value."""
