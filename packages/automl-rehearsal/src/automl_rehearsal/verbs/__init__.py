"""The verbs that this package brings to `automl`, whose table names these modules (automl_gitops.commands.main).

Each module has an `app`, and imports what takes time when a verb runs: its help need not wait for pandas.
"""
