"""Files of weights: read without running anything in them, checked, and recognised."""
