"""Trainings compared: every combination of settings, several seeds each.

The same results come out whatever the number of processes.
"""
