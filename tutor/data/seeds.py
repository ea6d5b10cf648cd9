"""How large a seed may be: what draws from it takes one word of 64 bits, and a person types it."""

from __future__ import annotations

SEEDS = 10**18
"""What a seed, like every other whole number here, stays below."""
