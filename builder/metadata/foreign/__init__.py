"""JSON Schemas of others: read in their own dialect, rewritten to draft 2020-12 with the same verdicts.

``reading.read`` takes a text and gives a ``ForeignSchema`` or refuses with JSON pointers and reasons.
Nothing is ever fetched: a schema is one document (bundled resources inside it are found by their ``$id``).
"""
