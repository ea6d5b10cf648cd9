"""Networks trained for real: data, the trainer, results, saved runs."""
