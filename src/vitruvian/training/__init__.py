"""Recipes that make a network from a picture set: the loop, the losses, averages, schedules and state."""
