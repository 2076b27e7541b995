"""Network files of other programs, read without running anything that they contain."""
