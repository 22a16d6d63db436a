"""The wing that drafts: rules, models, training in the loop. Uses annotator; never imported by it or by
review."""
