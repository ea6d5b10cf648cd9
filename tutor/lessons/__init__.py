"""Lesson files: what one may say, reading it with its messages, finding it, and beginning a new one."""
