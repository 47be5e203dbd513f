"""The command line: one command, its subcommands, and errors that read like a sentence."""
