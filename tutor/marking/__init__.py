"""One answer sheet against its worksheet: key, tolerance, the verdict of every line, and the slip behind it.

It knows nothing of files, classes or screens, and needs no NumPy.
"""
