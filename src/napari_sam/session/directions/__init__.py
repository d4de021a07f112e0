"""Sections of one object in planes of several directions: where they cross, and that they agree."""
