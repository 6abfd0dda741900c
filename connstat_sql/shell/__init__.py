"""The shell: a prompt that knows the tables, runs statements and shows what they answer."""
