"""The rules of selling: pure, frozen dataclasses and functions, no input or output."""
