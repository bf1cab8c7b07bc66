"""Figures to Chart.js configuration and the table with the same numbers."""
