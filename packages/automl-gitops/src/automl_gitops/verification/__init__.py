"""Whether an endpoint answers as the evaluation did.

`verify` is the command: it takes a sample of the `holdout`, asks the endpoint through a `client`, with bodies and
answers in the form that `payload` gives them, judges by `checks`, and signs the outcome into a `record`, without which
nothing goes to production. `invoke` asks about a user's own rows.
"""
