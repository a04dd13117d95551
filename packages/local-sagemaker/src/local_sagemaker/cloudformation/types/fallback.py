"""Resource types that moto's CloudFormation knows and this package does not make itself.

They are made in moto's storage at once, without a call to their service: no policy is asked.
"""

from __future__ import annotations

from typing import Any

from local_sagemaker import late
from local_sagemaker.cloudformation.types.base import Properties, ResourceType, Work

# Of these services the local AWS answers itself, and moto's resources would be none of them.
NOT_MOTOS = ("AWS::CloudFormation::", "AWS::SageMaker::")


class _Attributes(dict[str, Any]):
    """A resource's attributes, looked up when they are asked for."""

    def __init__(self, resource: Any) -> None:
        super().__init__()
        self.resource = resource

    def __contains__(self, name: object) -> bool:
        try:
            self.resource.get_cfn_attribute(name)
        except Exception:  # each of moto's types has its own way to say no
            return False
        return True

    def __getitem__(self, name: str) -> Any:
        return self.resource.get_cfn_attribute(name)


class _MotoType(ResourceType):
    """A type by moto's model class. A changed name makes a new resource; what moto cannot update, too."""

    properties = frozenset()

    def __init__(self, kind: str, model: Any) -> None:
        self._kind, self._model = kind, model
        self._name = model.cloudformation_name_type()
        self.fixed = frozenset({self._name} if self._name else ())  # type: ignore[misc]

    def check(self, properties: Properties) -> None:
        """Moto takes what it knows and leaves the rest."""

    def create(self, work: Work, new: Properties) -> None:
        name = new.get(self._name) or work.name()
        resource = self._model.create_from_cloudformation_json(
            name,
            {"Type": self._kind, "Properties": {self._name: name, **new} if self._name else new},
            work.account,
            work.region,
            LogicalId=work.logical_id,
            StackId=work.stack_name,
            ResourceType=self._kind,
        )
        work.made, work.attributes = resource.physical_resource_id, _Attributes(resource)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        resource = self._model.update_from_cloudformation_json(
            original_resource=work.attributes.resource,  # type: ignore[attr-defined]
            new_resource_name=new.get(self._name) or work.made,
            cloudformation_json={"Type": self._kind, "Properties": new},
            account_id=work.account,
            region_name=work.region,
        )
        work.attributes = _Attributes(resource)

    def delete(self, work: Work, old: Properties) -> None:
        resource = work.attributes.resource  # type: ignore[attr-defined]
        if hasattr(resource, "delete"):
            resource.delete(work.account, work.region)
        else:
            given = {"Type": self._kind, "Properties": old}
            self._model.delete_from_cloudformation_json(work.made, given, work.account, work.region)


def find(name: str) -> ResourceType | None:
    """Moto's type of that name; importing all that moto has takes two seconds, so only when it is asked."""
    if name.startswith(NOT_MOTOS):
        return None
    from moto.cloudformation.parsing import get_model_map

    late.bring("application-autoscaling")

    model = get_model_map().get(name)
    return _MotoType(name, model) if model else None
