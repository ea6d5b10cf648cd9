"""Training by straight-line code, compiled from the steps of a worksheet: for networks that a person can read.

What is trained here is what the worksheet shows, to the last bit.
"""
