"""Attacks: scoring logic that tries to get out of its worker, or to spoil the day of others, and what becomes of it."""
