"""The command line `automl`."""
