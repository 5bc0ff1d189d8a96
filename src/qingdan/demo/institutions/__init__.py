"""Training institutions of the demonstration: invented, of all kinds and states, a few of them with something wrong on purpose."""
