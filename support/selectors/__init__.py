"""What the support desk sees, always starting from the operators whose trail this person may read."""
