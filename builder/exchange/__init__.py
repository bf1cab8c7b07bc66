"""Files to rows of plain values and back."""
