"""Oversight: what the nightly audit finds, what schools answer, what the bureau confirms."""
