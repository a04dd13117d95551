"""AWS::IAM::Role, AWS::IAM::ManagedPolicy, AWS::IAM::OIDCProvider."""

from __future__ import annotations

import json
from typing import Any

from local_sagemaker.cloudformation.types.base import Properties, ResourceType, Work, chosen


def _document(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class _Role(ResourceType):
    """Ref is the name."""

    name = "AWS::IAM::Role"
    properties = frozenset(
        {
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "PermissionsBoundary",
            "Policies",
            "RoleName",
            "Tags",
        }
    )
    required = frozenset({"AssumeRolePolicyDocument"})
    fixed = frozenset({"RoleName", "Path"})

    def create(self, work: Work, new: Properties) -> None:
        name = new.get("RoleName") or work.name()
        role = work.call(
            "iam",
            "create_role",
            RoleName=name,
            AssumeRolePolicyDocument=_document(new["AssumeRolePolicyDocument"]),
            Tags=work.tag_list(new.get("Tags")) or None,
            **chosen(new, "Description", "MaxSessionDuration", "Path", "PermissionsBoundary"),
        )["Role"]
        work.made = name
        work.attributes = {"Arn": role["Arn"], "RoleId": role["RoleId"]}
        self._policies(work, {}, new)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        name = work.made
        if old["AssumeRolePolicyDocument"] != new["AssumeRolePolicyDocument"]:
            document = _document(new["AssumeRolePolicyDocument"])
            work.call("iam", "update_assume_role_policy", RoleName=name, PolicyDocument=document)
        if chosen(old, "Description", "MaxSessionDuration") != chosen(
            new, "Description", "MaxSessionDuration"
        ):
            work.call(
                "iam",
                "update_role",
                RoleName=name,
                Description=new.get("Description", ""),
                MaxSessionDuration=new.get("MaxSessionDuration", 3600),
            )
        boundary = new.get("PermissionsBoundary")
        if boundary and boundary != old.get("PermissionsBoundary"):
            work.call("iam", "put_role_permissions_boundary", RoleName=name, PermissionsBoundary=boundary)
        if not boundary and old.get("PermissionsBoundary"):
            work.call("iam", "delete_role_permissions_boundary", RoleName=name)
        self._policies(work, old, new)
        tags = work.tag_list(new.get("Tags"))
        if tags:
            work.call("iam", "tag_role", RoleName=name, Tags=tags)

    def delete(self, work: Work, old: Properties) -> None:
        self._policies(work, old, {})
        work.call("iam", "delete_role", RoleName=work.made)

    def _policies(self, work: Work, old: Properties, new: Properties) -> None:
        before, after = set(old.get("ManagedPolicyArns", [])), new.get("ManagedPolicyArns", [])
        for arn in sorted(before - set(after)):
            work.discard("iam", "detach_role_policy", RoleName=work.made, PolicyArn=arn)
        for arn in after:
            if arn not in before:
                work.call("iam", "attach_role_policy", RoleName=work.made, PolicyArn=arn)
        was = {p["PolicyName"]: p["PolicyDocument"] for p in old.get("Policies", [])}
        will = {p["PolicyName"]: p["PolicyDocument"] for p in new.get("Policies", [])}
        for name in sorted(set(was) - set(will)):
            work.discard("iam", "delete_role_policy", RoleName=work.made, PolicyName=name)
        for name, document in will.items():
            if was.get(name) != document:
                document = _document(document)
                work.call(
                    "iam", "put_role_policy", RoleName=work.made, PolicyName=name, PolicyDocument=document
                )


class _ManagedPolicy(ResourceType):
    """Ref is the ARN."""

    name = "AWS::IAM::ManagedPolicy"
    properties = frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", "Roles"})
    required = frozenset({"PolicyDocument"})
    fixed = frozenset({"Description", "ManagedPolicyName", "Path"})

    def create(self, work: Work, new: Properties) -> None:
        policy = work.call(
            "iam",
            "create_policy",
            PolicyName=new.get("ManagedPolicyName") or work.name(128),
            PolicyDocument=_document(new["PolicyDocument"]),
            **chosen(new, "Description", "Path"),
        )["Policy"]
        work.made = policy["Arn"]
        work.attributes = {"PolicyArn": policy["Arn"], "PolicyId": policy["PolicyId"]}
        for role in new.get("Roles", []):
            work.call("iam", "attach_role_policy", RoleName=role, PolicyArn=work.made)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        arn = work.made
        if old["PolicyDocument"] != new["PolicyDocument"]:
            versions = work.call("iam", "list_policy_versions", PolicyArn=arn)["Versions"]
            spare = [v["VersionId"] for v in versions if not v["IsDefaultVersion"]]
            for version in spare[4 - len(versions) - 1 :] if len(versions) > 4 else []:
                work.call("iam", "delete_policy_version", PolicyArn=arn, VersionId=version)
            document = _document(new["PolicyDocument"])
            work.call(
                "iam", "create_policy_version", PolicyArn=arn, PolicyDocument=document, SetAsDefault=True
            )
        for role in set(old.get("Roles", [])) - set(new.get("Roles", [])):
            work.discard("iam", "detach_role_policy", RoleName=role, PolicyArn=arn)
        for role in set(new.get("Roles", [])) - set(old.get("Roles", [])):
            work.call("iam", "attach_role_policy", RoleName=role, PolicyArn=arn)

    def delete(self, work: Work, old: Properties) -> None:
        for role in old.get("Roles", []):
            work.discard("iam", "detach_role_policy", RoleName=role, PolicyArn=work.made)
        for version in work.call("iam", "list_policy_versions", PolicyArn=work.made)["Versions"]:
            if not version["IsDefaultVersion"]:
                work.call("iam", "delete_policy_version", PolicyArn=work.made, VersionId=version["VersionId"])
        work.call("iam", "delete_policy", PolicyArn=work.made)


class _OIDCProvider(ResourceType):
    """Ref is the ARN. An account has one provider for each URL."""

    name = "AWS::IAM::OIDCProvider"
    properties = frozenset({"ClientIdList", "Tags", "ThumbprintList", "Url"})
    required = frozenset({"Url"})
    fixed = frozenset({"Url"})

    def create(self, work: Work, new: Properties) -> None:
        work.made = work.call(
            "iam",
            "create_open_id_connect_provider",
            Url=new["Url"],
            ClientIDList=new.get("ClientIdList", []),
            ThumbprintList=new.get("ThumbprintList", []),
            Tags=work.tag_list(new.get("Tags")) or None,
        )["OpenIDConnectProviderArn"]
        work.attributes = {"Arn": work.made}

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        arn = {"OpenIDConnectProviderArn": work.made}
        before, after = set(old.get("ClientIdList", [])), set(new.get("ClientIdList", []))
        for client in sorted(before - after):
            work.call("iam", "remove_client_id_from_open_id_connect_provider", **arn, ClientID=client)
        for client in sorted(after - before):
            work.call("iam", "add_client_id_to_open_id_connect_provider", **arn, ClientID=client)
        if new.get("ThumbprintList", []) != old.get("ThumbprintList", []):
            thumbprints = new.get("ThumbprintList", [])
            work.call("iam", "update_open_id_connect_provider_thumbprint", **arn, ThumbprintList=thumbprints)
        tags = work.tag_list(new.get("Tags"))
        if tags:
            work.call("iam", "tag_open_id_connect_provider", **arn, Tags=tags)

    def delete(self, work: Work, old: Properties) -> None:
        work.call("iam", "delete_open_id_connect_provider", OpenIDConnectProviderArn=work.made)
