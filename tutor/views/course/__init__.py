"""The lessons of the course as blocks.

Each part of a text is shown as what it computes: prose with its numbers, worksheets, experiments, claims, questions.
"""
