"""Where figures are read."""
