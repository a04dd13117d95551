"""AWS::Logs::LogGroup."""

from __future__ import annotations

from local_sagemaker.cloudformation.types.base import Properties, ResourceType, Work, chosen


class _LogGroup(ResourceType):
    """Ref is the name."""

    name = "AWS::Logs::LogGroup"
    properties = frozenset({"KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"})
    fixed = frozenset({"LogGroupClass", "LogGroupName"})

    def create(self, work: Work, new: Properties) -> None:
        name = new.get("LogGroupName") or work.name(512)
        work.call(
            "logs",
            "create_log_group",
            logGroupName=name,
            kmsKeyId=new.get("KmsKeyId"),
            logGroupClass=new.get("LogGroupClass"),
            tags=work.tag_map(new.get("Tags")) or None,
        )
        work.made = name
        work.attributes = {"Arn": work.arn("logs", f"log-group:{name}:*")}
        self._retain(work, {}, new)

    def update(self, work: Work, old: Properties, new: Properties) -> None:
        self._retain(work, old, new)
        if chosen(old, "KmsKeyId") != chosen(new, "KmsKeyId"):
            operation = "associate_kms_key" if "KmsKeyId" in new else "disassociate_kms_key"
            work.call("logs", operation, logGroupName=work.made, kmsKeyId=new.get("KmsKeyId"))
        tags = work.tag_map(new.get("Tags"))
        if tags:
            arn = work.attributes["Arn"].removesuffix(":*")
            work.call("logs", "tag_resource", resourceArn=arn, tags=tags)

    def delete(self, work: Work, old: Properties) -> None:
        work.call("logs", "delete_log_group", logGroupName=work.made)

    def _retain(self, work: Work, old: Properties, new: Properties) -> None:
        days = new.get("RetentionInDays")
        if days == old.get("RetentionInDays"):
            return
        if days is None:
            work.call("logs", "delete_retention_policy", logGroupName=work.made)
        else:
            work.call("logs", "put_retention_policy", logGroupName=work.made, retentionInDays=days)
