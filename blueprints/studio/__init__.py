"""Where admins draw the process."""
