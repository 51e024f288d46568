"""Destinations: one file each, see docs/add-a-destination.md. In: keys and bytes. Out: conditional writes that hold."""
