"""SageMaker Autopilot: AutoML jobs on tabular data, really trained, with AutoGluon.

:mod:`operations` answers requests, :mod:`job` follows a job in the server, :mod:`process` trains in a process
of its own. The latter imports nothing of the former: it should start fast.
"""
