"""The only place where a formula of the field is written: one entry each, one body for every number system."""
