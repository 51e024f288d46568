"""Vocabularies: one file (or folder) each, see docs/add-a-vocabulary.md. In: input files. Out: canonical topics."""
