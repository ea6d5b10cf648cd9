"""A tutor for neural networks: worksheets, derivations, homework marking and reproducible transcripts."""

__version__ = "0.1.0"
