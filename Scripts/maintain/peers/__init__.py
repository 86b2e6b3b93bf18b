"""Measures vidclass against other programs. Standard library only, except in the peers' programs."""
