"""How a step of each type runs. One module a type, each with ``run(context)``."""
