"""The mistakes that programs make: each rewrites equations between arrays."""
