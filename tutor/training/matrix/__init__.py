"""Training by matrices, a whole batch at a time."""
