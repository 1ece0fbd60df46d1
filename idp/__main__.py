"""`python -m idp`: the same as `idp`."""

from __future__ import annotations

from idp.cli import main

if __name__ == "__main__":
    main(prog_name="idp")
