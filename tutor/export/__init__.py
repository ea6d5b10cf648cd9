"""A trained network as a script of its own, one module a library."""
