"""Say what comes next. Writes nothing, needs no network, and may run any number of times."""

import json

ANSWERS = json.loads(r""" {{ cookiecutter | tojson }} """)

print(
    """
%(project)s is ready. Try it without an account and without cost:

    cd %(project)s
    make demo                   # trains, evaluates, registers and serves a model on a local AWS

Then make it yours:

    edit automl.toml            # target, problem type, budget, gate
    make demo DATA=FILE         # the same with your data
    git init -b main && git add --all && git commit -m "Start the project"

docs/set-up.md leads from there to %(repository)s on GitHub and to your AWS account.
"""
    % ANSWERS
)
