"""The report's sections, each made of the evaluation's JSON (schema: evaluation/layout.py)."""
