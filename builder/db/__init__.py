"""Tables, engine, tenancy and migrations."""
