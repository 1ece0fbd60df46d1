"""Pages, on Flask: thin shells over journeys and services."""
