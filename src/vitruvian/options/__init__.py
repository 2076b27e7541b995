"""Every choice a user can make, as frozen dataclasses that command line, studio and programs share.

These modules import neither torch nor anything that does, so that help comes at once.
"""
