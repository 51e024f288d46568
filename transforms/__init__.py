"""Formats: one file each, see docs/add-a-format.md. In: views and editions. Out: finished files."""
