"""Training by matrices, a whole batch at a time.

For networks of any size, in reproducible arithmetic or as fast as the machine allows.
"""
