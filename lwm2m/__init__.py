"""LwM2M in plain Python: bytes and values in, values and bytes out; no framework, socket, clock or dice."""
