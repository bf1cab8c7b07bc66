"""Reads: each query answers one question of one page or report."""
