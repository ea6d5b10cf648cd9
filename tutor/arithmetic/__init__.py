"""The number systems a formula can be run in."""
