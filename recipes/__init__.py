"""How the weights that ship were made; in the source archive, not in the wheel."""
