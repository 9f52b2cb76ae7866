"""The ledger over REST, read-only."""
