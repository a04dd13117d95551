"""Make production what environments/production.toml says: look, decide, apply."""

from dataclasses import dataclass, field

from automl_gitops.kernel.environments import ServingProject
from automl_gitops.kernel.errors import UserError
from automl_gitops.promotion.apply import apply
from automl_gitops.promotion.decide import decide
from automl_gitops.promotion.look import ProductionServices, look
from automl_gitops.promotion.production_file import FILE, SOURCE, ProductionFile, uncommitted
from automl_gitops.promotion.steps import Step, Wait
from automl_gitops.serving.endpoint import Endpoint
from automl_gitops.serving.registry import ModelPackage


@dataclass(frozen=True)
class Promotion:
    """What came of it: the version that Git names (`None` where it names none), and what was done for it.

    ``steps`` are what is to be done yet, and ``refusal`` why a run would not start: of a dry run, else none.
    """

    package: ModelPackage | None
    endpoint: str
    config: str = ""
    done: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    refusal: str = ""


def promote(project: ServingProject, *, new_account: bool = False, dry_run: bool = False) -> Promotion:
    """Approve, deploy, verify and record the version that Git names; nothing at all where all that is so
    already.

    ``new_account`` lets production move to another account than that of its last deployment; ``dry_run`` only
    decides. Raises `UserError` for a version that may not go to production, or that no commit names, `RunError` where
    its deployment failed: then the previous version serves, and the model package says what happened.
    """
    production = ProductionServices(project)
    named = ProductionFile.load()
    refusal = uncommitted()
    if refusal and not dry_run:
        raise UserError(refusal, file=FILE.as_posix())
    if not named.model_package_arn:
        _require_nothing(production.endpoint)
        return Promotion(None, production.endpoint.name, refusal=refusal)
    done: list[str] = []
    while True:
        seen = look(production, named)
        steps = decide(seen, new_account=new_account)
        if dry_run:
            break
        done += apply(production, seen, steps)
        if not any(isinstance(step, Wait) for step in steps):
            steps = []
            break
    return Promotion(seen.package, production.endpoint.name, seen.release.config_name, done, steps, refusal)


def _require_nothing(endpoint: Endpoint) -> None:
    """Raise `UserError` where an endpoint serves though Git names no version: this command never takes one
    away.
    """
    state = endpoint.look()
    if state.exists:
        served = endpoint.package_arn(state) or f"config {state.config}"
        raise UserError(
            f'{SOURCE} = "", but endpoint {endpoint.name} serves {served}: name a version, or remove the '
            "endpoint with `automl teardown --only production`"
        )
