"""Every word a person reads: gettext catalogues, one folder a language. Data; imports nothing of ours.

A message's id is its English text. `python -m idp.translations` (`make texts`) reads the messages out of
code and templates into the catalogues and compiles them; with `--check` it only says what is missing.
"""
