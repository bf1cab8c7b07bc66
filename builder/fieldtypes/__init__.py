"""One class per field type: form field, validation, display, text in and out, operators."""
