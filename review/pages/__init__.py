"""The pages of the wing that judges."""
