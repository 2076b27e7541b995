"""Synthetic people: body, pose, outfit, hair, face, camera, renderer and labels, all from one integer seed."""
