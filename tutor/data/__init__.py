"""Examples to train on: data sets that come with the program, readers of files, and what is drawn by a seed.

A new kind of file is one module and one line in `readers.py`.
"""
