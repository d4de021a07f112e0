"""Evaluation against labels: simulated clicks and boxes, automatic runs, tables, figures.

Uses `inference` and `data`; nothing here trains or writes.
"""
