"""The only place where a formula of the field is written: one entry each, one body for every number system.

To add one is to add an entry: worksheets, derivations, training, export, `explain` and the tests take it from here.
"""
