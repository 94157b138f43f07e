"""The library under the tests; docs/architecture.md says which package holds what."""
