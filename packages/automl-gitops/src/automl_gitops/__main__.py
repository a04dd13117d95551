"""`python -m automl_gitops` is `automl`."""

from automl_gitops.commands.main import program

program()
