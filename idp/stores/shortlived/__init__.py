"""Records that may vanish at any moment: losing one costs a retry, never safety.

`contract.py` has the six verbs, `redis.py` and `embedded.py` speak them; the other files are one
record kind each. Nothing whose loss or resurrection would grant something lives only here.
"""
