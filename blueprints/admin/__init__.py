"""People, roles, imports and settings of a workspace."""
