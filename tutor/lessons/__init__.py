"""Lesson files: what one may say, reading it with its messages, finding it, and beginning a new one.

A new section of the format is a type in `worksheet/problem.py` or `format.py`, and what must hold of it in
`worksheet/rules.py`.
"""
