"""Where reps and managers work records."""
