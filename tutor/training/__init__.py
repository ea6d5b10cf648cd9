"""Networks trained for real: settings, preparation, the trainer and its two forms, and the way to and from a
worksheet."""
