"""Tables of results: a description, its rows trained and tested with one budget, and the report."""
