"""The command line: one command, its subcommands, and errors in plain sentences."""
