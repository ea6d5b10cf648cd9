"""A worksheet, as it is shown: in full, as a problem, in sentences, as plain data."""
