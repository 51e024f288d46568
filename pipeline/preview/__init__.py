"""The editors' preview: a web app on this machine that shows topics as any partner will see them, before they ship.

In: a way to build the System, a clock. Out: pages on a loopback port, or a folder of drafts. It renders by the same code as a
run, and never writes to a store.

`project` holds the inputs and keeps them fresh, `viewpoints` decides as whom one looks, `rendering` makes the files of one
topic, `checking` runs everything once in a process of its own; `app` and `screens` show it all.
"""
