"""The pure core of the prelabel wing: parameters, proposals, measures, artefacts. No Django, clock, torch or
random."""
