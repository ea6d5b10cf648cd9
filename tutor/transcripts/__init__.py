"""Recorded lessons: making them, reading them without trust, and naming every difference.

A transcript is a file from a stranger until it has been verified.
"""
