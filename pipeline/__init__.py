"""The core: topics, editions, proofs and runs. Knows no vocabulary, no format and no store."""
