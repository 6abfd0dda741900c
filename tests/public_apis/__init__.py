"""Public APIs in small: real-shaped definitions, each with a fake of its paging, auth and errors.

An API is a module here and a folder of YAML in `definitions/`. The module says how a connection to
it is written (`CONNECTION`), what it answers (`Fake`), and what is asked of it (`CASES`).
"""
