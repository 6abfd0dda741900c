"""Long runs that look for what is wrong: each prints the inputs tried and those that fail."""
