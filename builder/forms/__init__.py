"""Generated forms: a schema becomes a WTForms class, form data become JSON values."""
