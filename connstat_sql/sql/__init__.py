"""The text of a statement → what is in it, and where; whose columns, and what restricts them."""
