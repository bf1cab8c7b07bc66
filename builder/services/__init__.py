"""Writes: each service call is one business act in one transaction."""
