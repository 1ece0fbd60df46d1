"""One file per way to prove something. None knows a page, SQL or another factor."""
