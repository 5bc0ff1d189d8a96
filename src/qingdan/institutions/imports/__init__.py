"""A district's list of institutions from a workbook: reading, comparing, applying."""
