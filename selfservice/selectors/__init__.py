"""What the subscriber's pages show, always starting from the person."""
