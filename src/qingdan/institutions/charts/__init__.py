"""Charts of the registry: questions give numbers, figures say what is seen, specs say how it is drawn."""
