"""Workbooks handed in by an organisation, judged in the background, and what was found in them."""
