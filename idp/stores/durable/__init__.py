"""What must survive restart, fail-over and cache loss. SQLAlchemy is used here and nowhere else.

Each file is one aggregate: its tables above, its acts below. An act is one statement, or a few in
one `transaction()`; never get, change, save.
"""
