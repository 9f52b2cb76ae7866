"""Stand-ins that speak real protocols on loopback, for tests of whole journeys."""
