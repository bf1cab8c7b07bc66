"""HTTP: one Flask blueprint per area; routes load, call one service or query, and answer."""
