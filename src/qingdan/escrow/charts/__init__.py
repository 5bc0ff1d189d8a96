"""Charts of prepaid tuition: figures say what is seen, specs say how it is drawn."""
