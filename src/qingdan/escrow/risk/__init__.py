"""How risky an institution is: a table of weights, the parts of a score, the numbers behind them, and what families would lose."""
