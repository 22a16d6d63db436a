"""The API's doors of the wing that judges."""
