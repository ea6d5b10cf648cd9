"""A lesson as a worksheet: givens and an ordered list of steps, from which everything else is read off."""
