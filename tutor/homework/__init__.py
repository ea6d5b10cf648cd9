"""Marking: what somebody wrote, against the key and against their own earlier lines."""
