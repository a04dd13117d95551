"""Whether an endpoint answers as the evaluation did: the checks, their load, and their record."""
