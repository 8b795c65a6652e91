"""Start and stop order of a switch, for the program and for those who embed it."""
