"""Ask an endpoint for predictions of a file's rows."""

from dataclasses import dataclass
from pathlib import Path

from automl_gitops.kernel.environments import Name, ServingProject
from automl_gitops.kernel.errors import RunError, UserError
from automl_gitops.serving.endpoint import Endpoint
from automl_gitops.serving.registry import Registry
from automl_gitops.verification.client import Client
from automl_gitops.verification.holdout import read_evaluation
from automl_gitops.verification.payload import Decider, batches, feature_rows, parse_csv, response_keys

DECISION = "decision"


@dataclass(frozen=True)
class Predictions:
    """What an endpoint predicts."""

    endpoint: str
    model_package_arn: str
    predictions: list[dict[str, str]]


def invoke(project: ServingProject, file: Path, name: Name) -> Predictions:
    """Predict the rows of a CSV file with the endpoint of an environment, in the file's order.

    Where a threshold decides, each prediction has the label that follows from it as `DECISION`, beside the
    model's own.
    Raises `UserError` for a file that does not fit, or an endpoint that is not there; `RunError` for a
    refused request.
    """
    environment = project.environment(name)
    endpoint = Endpoint(environment.aws, environment.endpoint, project.output)
    state = endpoint.look()
    if not state.exists:
        command = "stage" if name == "staging" else "promote"
        raise UserError(f"there is no endpoint {endpoint.name} yet: `automl {command}` makes it")
    arn = endpoint.package_arn(state)
    if not arn:
        raise UserError(
            f"endpoint {endpoint.name} serves config {state.config}, which this project did not make, so "
            "what it reads "
            "is not known"
        )
    package = Registry(project.aws, project.names).find(arn, endpoint.name)
    evaluation = read_evaluation(project.aws, project.names.bucket, package)
    dataset, decider = evaluation.dataset, Decider.of(evaluation)
    columns = [column.name for column in dataset.columns]
    # All rows are looked at before the first one is sent.
    bodies = list(batches(feature_rows(file, columns, dataset.target)))
    keys = response_keys(package)
    client = Client.of(environment)
    predictions: list[dict[str, str]] = []
    for body in bodies:
        text = client.predict(body).body
        try:
            answered = parse_csv(text, keys)
            predictions += [{**one, DECISION: decider.decide(one)} if decider else one for one in answered]
        except ValueError as error:
            raise RunError(f"endpoint {endpoint.name} gave an answer that cannot be read: {error}") from None
    return Predictions(endpoint.name, arn, predictions)
