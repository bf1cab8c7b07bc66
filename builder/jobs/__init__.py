"""Background work: imports, timers, automations."""
