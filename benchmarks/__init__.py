"""What the instruments cost and how exactly they see: measured, never asserted in tests (docs/benchmarks.md)."""
