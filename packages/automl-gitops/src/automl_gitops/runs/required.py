"""What has to be in AWS before a run is paid: the data, and the champion, which the pipeline asks for at its end."""

from botocore.exceptions import ClientError

from automl_gitops.data.lock import DatasetLock, part
from automl_gitops.kernel.aws import Aws, is_missing
from automl_gitops.kernel.config import Config
from automl_gitops.kernel.environments import PRODUCTION_FILE
from automl_gitops.kernel.errors import UserError

NAME_ANOTHER = (
    'commit `model_package_arn = ""` (nothing is in production), or the ARN of a version that is there'
)


def data_uri(lock: DatasetLock) -> str:
    """The object in the project's bucket that stands for all that a push put there."""
    # Of data by reference the holdout alone lies in the project's bucket.
    return lock.uris.y_test + part(0) if lock.reference else lock.uris.train_validation


def push_again(lock: DatasetLock) -> str:
    """What brings the data of a lock back."""
    return f"run `automl data {'refer' if lock.reference else 'push FILE'}`"


def needs_champion(config: Config) -> bool:
    """Whether the gate rejects whatever it cannot compare with the champion."""
    return config.gate.not_worse_than_champion and config.gate.champion_failure == "reject"


def champion_missing(champion: str, aws: Aws) -> str:
    """Why the registry does not have the version that Git names; "" where it has, or Git names none."""
    if not champion:
        return ""
    account = champion.split(":")[4]
    why = f"is of account {account}, and this is account {aws.account}"
    if account == aws.account:
        try:
            aws.client("sagemaker").describe_model_package(ModelPackageName=champion)
            return ""
        except ClientError as error:
            if not is_missing(error):
                raise
        why = "is no version in the registry (`automl teardown --delete-data` takes them all)"
    return f'model_package_arn = "{champion}" {why}, so that no model can be compared with it'


def champion_problem(champion: str, aws: Aws) -> str:
    """The same as a sentence with the way out."""
    missing = champion_missing(champion, aws)
    return f"{PRODUCTION_FILE.as_posix()}: {missing}: {NAME_ANOTHER}" if missing else ""


def require_champion(config: Config, champion: str, aws: Aws) -> None:
    """Raise `UserError` where the gate would reject whatever is trained, for want of the champion."""
    problem = champion_problem(champion, aws) if needs_champion(config) else ""
    if problem:
        raise UserError(problem, file=PRODUCTION_FILE.as_posix())
