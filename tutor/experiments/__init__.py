"""Trainings compared: every combination of settings, several seeds each."""
