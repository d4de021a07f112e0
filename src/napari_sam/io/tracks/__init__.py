"""Readers and writers of tracks: Cell Tracking Challenge, GEFF, TrackMate XML (read), CSV.

`folder` writes what a tracked series is written as, `read` chooses the reader.
"""
