"""The number systems that a formula can be run in: exact, decimal, floats, and the reproducible ones of training.

Nothing here knows a formula of the field or a worksheet.
"""
