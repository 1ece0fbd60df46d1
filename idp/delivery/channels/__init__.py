"""One file per way to send. A channel sends once: it never retries, logs a message or picks a destination."""
