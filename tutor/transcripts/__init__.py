"""Recorded lessons: making them, reading them without trust, and naming every difference."""
