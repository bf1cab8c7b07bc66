"""Edits of documents, as pure functions: what the designers of the Studio do to a draft."""
