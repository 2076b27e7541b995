"""Measurements: how fast the hot paths are, against a plain form of the same maths in the same run."""
