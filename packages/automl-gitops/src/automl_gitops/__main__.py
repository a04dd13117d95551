"""`python -m automl_gitops` is `automl`."""

import sys

from automl_gitops.commands.main import main

sys.exit(main())
