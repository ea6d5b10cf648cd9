"""A lesson as a worksheet: givens and an ordered list of steps, from which everything else is read off.

The forward steps come from a network or from equations; partials, gradients and updates are derived from them.
"""
