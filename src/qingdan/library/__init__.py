"""The public policy library: documents, clauses, limits, rules, layers and the vocabulary of facts."""
