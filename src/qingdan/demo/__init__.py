"""The demonstration: a whole district, clearly fictional, with eight weeks of homework up to today."""
