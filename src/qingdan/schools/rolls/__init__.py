"""Rolls of pupils and staff: read, compared with what is there, applied, taken back, and written out again."""
