"""Tables of results: descriptions, rows that are trained and tested with one budget, and reports."""
