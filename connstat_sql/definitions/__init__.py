"""What provider definitions say: the values that the package speaks in, and YAML read into them."""
