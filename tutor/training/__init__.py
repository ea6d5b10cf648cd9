"""Networks trained for real: settings, preparation, the trainer and its two forms, and the way to and from a worksheet.

Data comes from `data`, formulas from `maths`, and the loop is the same for both forms.
"""
