"""Answer sheets as files: every format that one is read from and written in.

What an answer means is read in `marking`; here it is text beside a name.
"""
