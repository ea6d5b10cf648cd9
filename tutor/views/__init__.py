"""What there is to see of each result.

`numbers` is the only place that rounds, and `notation` the only one that prints an expression.
"""
