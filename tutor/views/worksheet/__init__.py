"""A worksheet, as it is shown: in full, as a problem, as plain data.

What every one of these needs to know of a step stands in `model.py`.
"""
