"""SageMaker Pipelines: definitions are checked, and executions really run.

``definition`` reads and checks a definition, ``expressions`` and ``conditions`` evaluate what it refers to,
``engine`` runs an execution's steps (``steps`` holds one module for each type), ``operations`` and
``executions`` answer the API.
"""
