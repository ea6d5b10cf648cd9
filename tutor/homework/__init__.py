"""A class: fresh problems, the sheets of many students, and their results in the forms that platforms take.

What is said of one sheet is decided in `marking`.
"""
