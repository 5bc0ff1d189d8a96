"""Ground floor: what every app needs of database and files – refusals in words, connections of jobs, files that are taken in."""
