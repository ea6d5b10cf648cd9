"""Saved runs: what is kept of a training, its file, and using the network on new examples.

A run is read without trust, whoever sent it.
"""
