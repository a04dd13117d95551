"""What was looked at and what was found, a row each."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from automl_gitops.github.pull_request import explained
from automl_gitops.kernel.aws import explain, may_not
from automl_gitops.kernel.errors import RunError, UserError

# Whether it is right; stops the first training; stops or disturbs something later; could not be seen.
Outcome = Literal["good", "stops", "later", "unknown"]


@dataclass(frozen=True)
class Row:
    """One question and its answer; ``todo`` is empty where nothing is to be done."""

    area: str
    asked: str
    outcome: Outcome
    found: str
    todo: str = ""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def look(area: str, asked: str, find: Callable[[], Iterable[Row]]) -> list[Row]:
    """The rows of ``find``; where it may not look, or cannot, one row that says so.

    Credentials and services answer as they like at every call: no look may end the others.
    """
    rows: list[Row] = []
    try:
        with explained("look"):
            rows.extend(find())
    except ClientError as error:
        if may_not(error):
            said = f"could not look: not allowed to call {_action(error)}"
            rows.append(
                Row(area, asked, "unknown", said, "ask as somebody who may, such as an administrator")
            )
        else:
            rows.append(Row(area, asked, "unknown", f"could not look: {explain(error)}"))
    except (BotoCoreError, ResponseParserError) as error:
        rows.append(Row(area, asked, "unknown", f"could not look: {explain(error)}"))
    except (UserError, RunError) as error:
        rows.append(
            Row(area, asked, "unknown", f"could not look: {str(error).removeprefix('cannot look: ')}")
        )
    return rows


def _action(error: ClientError) -> str:
    """The operation, as the service's refusal names it where it does: `servicequotas:ListServiceQuotas`."""
    words = str(error.response.get("Error", {}).get("Message", "")).split()
    return next((word for word in words if word.endswith(f":{error.operation_name}")), error.operation_name)
