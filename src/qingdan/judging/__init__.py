"""Judges facts in this installation's database: a form while it is saved, everything at night."""
