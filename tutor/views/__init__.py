"""One module per output format; `notation` is the only place that rounds a number or prints an expression."""
