"""Registered parts: their list, their partners, and reports about them."""
