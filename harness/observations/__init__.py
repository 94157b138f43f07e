"""Looks at the deployment that need more than one question; each returns a value, for the properties to judge."""
