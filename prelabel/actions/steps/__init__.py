"""Steps of this wing's verbs and jobs."""
