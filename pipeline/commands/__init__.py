"""The rooms of the command line: one file per kind of work, each a list of thin typer commands.

In: words. Out: exit codes. A room may import every part of the product, lazily, inside its commands; only run_pipeline.py
imports a room. `building` puts the parts of the product together, `speaking` prints, `clock` reads the time.
"""
