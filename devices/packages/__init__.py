"""Packages that devices fetch by themselves, block by block: firmware, and whatever else is too large to be written."""
