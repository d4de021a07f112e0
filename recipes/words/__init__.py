"""How `words_tiny` was made, and the text decoder of `cells_tiny`."""
