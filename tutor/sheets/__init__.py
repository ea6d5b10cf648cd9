"""Answer sheets as files: every format that one is read from and written in."""
