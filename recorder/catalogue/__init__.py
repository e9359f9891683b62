"""The catalogue: what the records are about, to ask over many of them, and who did what.

`models` are its tables, `store.Catalogue` writes them with an audit trail, `upgrade` makes and migrates the database,
`rebuild` fills it from the session files. The session files are the record; this is a copy that can be made again.
"""
