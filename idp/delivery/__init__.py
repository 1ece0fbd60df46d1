"""Words on their way out: the outbox, the worker that empties it, the channels. It never decides what to say."""
