"""The formula language: from the text that a person writes to a tree, to its value, to code.

Nothing here knows what a worksheet is.
"""
