"""Rows → bytes on stdout, in each format; narration on stderr, and the exit codes."""
