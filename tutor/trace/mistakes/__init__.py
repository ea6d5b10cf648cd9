"""The mistakes that programs make. Each rewrites equations between arrays."""
