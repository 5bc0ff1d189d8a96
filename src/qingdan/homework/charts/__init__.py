"""What supervision counts, and the charts of it: questions give numbers, specs say how they are drawn, drawing draws them."""
