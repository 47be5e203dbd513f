"""What is registered, what goes with what, and how that is printed."""
