"""Pickled modules of stylegan2-ada-pytorch, stylegan3 and their forks: reading, and writing such files."""
