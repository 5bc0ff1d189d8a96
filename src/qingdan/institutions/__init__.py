"""Training institutions: registry, permits, staff, courses, timetables, advertising, and what the public sees of them."""
