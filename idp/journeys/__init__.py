"""Journeys: which step comes next and what has been proved. Not here: how a factor works, what a page looks like."""
