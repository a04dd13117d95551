"""A project's whole life on the local AWS, through its own commands: `make demo`, and what a pull request rehearses.

Runs on a laptop or on the CI runner. Nothing here knows how a step works; it only says in which order people and
workflows would call the commands, and as which role.
"""

__version__ = "0.1.0"
