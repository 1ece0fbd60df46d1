"""«Min konto»: what signed-in people see of their own account, and may change (page spec §11).

One file a page. `contract` says what a page, an act and a change are; `views` finds out who is signed in, checks
forms, and sends changes through the journeys that prove it is the owner who makes them. Not here: what a change
does (`services/`), which proofs it takes (`journeys/table.py`).
"""
