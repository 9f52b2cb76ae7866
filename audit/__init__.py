"""What happened: the append-only, hash-chained ledger and the catalogue of causes; knows nobody above it."""
