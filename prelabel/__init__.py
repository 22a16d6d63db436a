"""The wing that prelabels: rules, models, training in the loop. Uses annotator; never imported by it or by
review."""
