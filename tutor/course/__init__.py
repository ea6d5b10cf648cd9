"""Lessons as texts: prose with worksheets, experiments, claims, questions and plots in it.

Every block is read, checked and worked out here; what there is to see of it, `tutor.views.course` says.
"""
