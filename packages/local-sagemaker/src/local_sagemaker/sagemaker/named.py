"""Resources that people name, and what is the same for each kind of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from local_sagemaker.bridge import Caller
from local_sagemaker.sagemaker import resources
from local_sagemaker.sagemaker.resources import Record, invalid
from local_sagemaker.sagemaker.service import operation

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Collection(Generic[R]):
    """The resources of one kind by their names.

    ``prefix`` is what operations and members call the kind, ``kind`` its type in ARNs, ``words`` the
    service's for one, ``attribute`` where moto keeps them.
    """

    prefix: str
    kind: str
    words: str
    attribute: str

    def all(self, caller: Caller) -> dict[str, R]:
        """The caller's by name."""
        return getattr(resources.backend(caller.account, caller.region), self.attribute)

    def arn(self, caller: Caller, name: str) -> str:
        """The ARN that one of that name has."""
        return resources.arn(caller, self.kind, name)

    def find(self, caller: Caller, name: str) -> R:
        """The one of that name; raises ValidationException where there is none."""
        record = self.all(caller).get(name)
        if record is None:
            raise invalid(f'Could not find {self.words} "{self.arn(caller, name)}".')
        return record

    def check_new(self, caller: Caller, name: str) -> None:
        """Raise ValidationException where there is one of that name."""
        if name in self.all(caller):
            raise invalid(f'Cannot create already existing {self.words} "{self.arn(caller, name)}".')

    def add(self, caller: Caller, name: str, record: R) -> None:
        """Keep a new one; of two requests at once, the second raises ValidationException."""
        if self.all(caller).setdefault(name, record) is not record:
            self.check_new(caller, name)

    def remove(self, caller: Caller, name: str) -> None:
        """Forget the one of that name; raises ValidationException where there is none."""
        self.find(caller, name)
        self.all(caller).pop(name, None)

    def answer(self, *verbs: str) -> None:
        """Answer those operations of the kind: Describe, List (the newest first by default), Delete."""
        name = f"{self.prefix}Name"

        def describe(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
            return self.find(caller, parameters[name]).details

        def list_all(caller: Caller, parameters: dict[str, Any]) -> dict[str, Any]:
            details = [record.details for record in list(self.all(caller).values())]
            return resources.listed(details, parameters, f"{self.prefix}s", name)

        def delete(caller: Caller, parameters: dict[str, Any]) -> None:
            self.remove(caller, parameters[name])

        handlers = {"Describe": describe, "List": list_all, "Delete": delete}
        for verb in verbs:
            operation(f"{verb}{self.prefix}{'s' if verb == 'List' else ''}")(handlers[verb])
