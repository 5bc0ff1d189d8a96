"""Ground floor: schools, grades, classes, subjects, who teaches what, pupils and their guardians."""
