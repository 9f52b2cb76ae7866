"""What only this room writes."""
