"""Ask an endpoint for predictions of a file's rows."""

from dataclasses import dataclass
from pathlib import Path

from deployment.endpoint import Endpoint
from deployment.environments import Name, Project
from deployment.invocation import Client
from deployment.predictions import parse_csv, response_keys
from deployment.registry import Registry
from deployment.rows import batches, read_rows
from pipeline.dataset.lock import DatasetLock
from pipeline.errors import RunError, UserError


@dataclass(frozen=True)
class Predictions:
    """What an endpoint predicts; the model package is "" where the endpoint was made by hand."""

    endpoint: str
    model_package_arn: str
    predictions: list[dict[str, str]]


def invoke(project: Project, file: Path, name: Name) -> Predictions:
    """Predict the rows of a CSV file with the endpoint of an environment, in the file's order.

    Raises `UserError` for a file that does not fit, or an endpoint that is not there; `RunError` for a
    refused request.
    """
    lock = DatasetLock.load()
    bodies = list(batches(read_rows(file, [column.name for column in lock.columns], lock.target)))
    environment = project.environment(name)
    endpoint = Endpoint(environment.aws, environment.endpoint, project.output)
    state = endpoint.look()
    if not state.exists:
        command = "stage" if name == "staging" else "promote"
        raise UserError(
            f"there is no endpoint {endpoint.name} yet: `python -m deployment {command}` makes it"
        )
    arn = endpoint.package_arn(state)
    package = Registry(project.aws, project.names).find(arn, endpoint.name) if arn else None
    keys = response_keys(package.containers if package else ())
    client = Client(environment.aws, endpoint.name)
    predictions: list[dict[str, str]] = []
    for body in bodies:
        text = client.predict(body).body
        try:
            predictions += parse_csv(text, keys)
        except ValueError as error:
            raise RunError(f"endpoint {endpoint.name} gave an answer that cannot be read: {error}") from None
    return Predictions(endpoint.name, arn, predictions)
