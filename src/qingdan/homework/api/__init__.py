"""Homework and its disclosure for programs: the same rights and the same verbs as the pages."""
