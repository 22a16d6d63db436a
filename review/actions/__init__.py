"""Verbs and steps of the wing that judges. A verb opens the only transaction; steps run inside it."""
