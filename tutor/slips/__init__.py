"""The wrong formulas that people write, as rewritings of the right ones. Knows no sheet.

A new slip is one entry in one of these modules.
"""
