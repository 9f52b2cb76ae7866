"""Measures southbound: `python -m bench.run`. Results and how to read them: docs/performance.md."""
