"""Regions with their policy layers, and the calendar of each: school years, terms, vacations, make-up workdays."""
