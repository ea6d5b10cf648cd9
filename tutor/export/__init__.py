"""A trained network as a script of its own, one module a library.

A new library is one module and one line in `scripts.py`.
"""
