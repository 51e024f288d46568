"""Releases: what is stored, in which order, and how a partner gets it. In: rows and files. Out: a verified bundle."""
