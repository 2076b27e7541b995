"""Numbers that judge generators: distances between sets of features, path length, inception score.

Everything here is maths on features; which network made the features is part of a metric's name.
"""
