"""The world outside: a mail server, a phone network, and the screen on which a tester reads both.

Owns what was delivered and the faults a test switches on. Knows nothing of who sends.
"""
