"""Steps of the wing that judges: they demand an open transaction and open none."""
