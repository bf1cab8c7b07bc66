"""Sign-in and the preferences of a person."""
