"""Every resource type that a project's templates use: made, changed and removed."""

from __future__ import annotations

import json

import pytest
from core_kit import Stack, refused

IAM = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
TAGS = {"Tags": [{"Key": "project", "Value": "x"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}


def statement(action, effect="Allow"):
    return {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]}


def template(**resources):
    return json.dumps(
        {"Resources": {name: {"Type": t, "Properties": p} for name, (t, p) in resources.items()}}
    )


@pytest.fixture
def check(account):
    """Create a stack, look, update it, look again, delete it: returns what each look saw."""

    def run(first, second, look, more=TAGS | IAM):
        stack = Stack(account)
        created = stack.create(first, more)
        reasons = stack.reasons("CREATE_FAILED")
        before = look(stack.resources) if created == "CREATE_COMPLETE" else reasons
        updated = stack.update(second, more)
        after = look(stack.resources) if updated == "UPDATE_COMPLETE" else stack.reasons("UPDATE_FAILED")
        resources = stack.resources
        assert (created, updated) == ("CREATE_COMPLETE", "UPDATE_COMPLETE"), (before, after)
        assert stack.delete() == "DELETE_COMPLETE", stack.reasons("DELETE_FAILED")
        return before, after, resources

    return run


def test_roles_and_policies(check, account):
    iam = account.client("iam")
    name = account.name("role")

    def of(description, inline, managed, document):
        policy = {"ManagedPolicyName": f"{name}-managed", "PolicyDocument": statement(document)}
        role = {
            "RoleName": name,
            "Description": description,
            "AssumeRolePolicyDocument": TRUST,
            "Policies": [{"PolicyName": n, "PolicyDocument": statement(n)} for n in inline],
            "ManagedPolicyArns": [{"Ref": "Policy"}] if managed else [],
        }
        return template(Policy=("AWS::IAM::ManagedPolicy", policy), Role=("AWS::IAM::Role", role))

    def look(resources):
        role = iam.get_role(RoleName=name)["Role"]
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        version = iam.get_policy(PolicyArn=resources["Policy"])["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=resources["Policy"], VersionId=version)
        return (
            role["Description"],
            iam.list_role_policies(RoleName=name)["PolicyNames"],
            [p["PolicyName"] for p in attached],
            document["PolicyVersion"]["Document"]["Statement"][0]["Action"],
            role["Tags"],
        )

    before, after, _ = check(of("a", ["s3:*", "sqs:*"], True, "x:1"), of("b", ["s3:*"], False, "x:2"), look)

    tags = TAGS["Tags"]
    assert before == ("a", ["s3:*", "sqs:*"], [f"{name}-managed"], "x:1", tags)
    assert after == ("b", ["s3:*"], [], "x:2", tags)
    assert refused(iam.get_role, RoleName=name)[0] == "NoSuchEntity"


def test_a_managed_policy_can_be_changed_more_often_than_it_has_versions(account):
    stack = Stack(account)

    def of(number):
        return template(Policy=("AWS::IAM::ManagedPolicy", {"PolicyDocument": statement(f"x:{number}")}))

    stack.create(of(0), IAM)
    statuses = {stack.update(of(number), IAM) for number in range(1, 8)}

    assert statuses == {"UPDATE_COMPLETE"}


def test_an_identity_provider(check, other_account):
    iam, url = other_account.client("iam"), "https://token.actions.githubusercontent.com"

    def of(*clients):
        return template(Provider=("AWS::IAM::OIDCProvider", {"Url": url, "ClientIdList": list(clients)}))

    def look(resources):
        found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=resources["Provider"])
        return sorted(found["ClientIDList"])

    stack = Stack(other_account)
    created, first = stack.create(of("sts.amazonaws.com"), IAM), look(stack.resources)
    again = Stack(other_account)
    second_one = again.create(of("sts.amazonaws.com"), IAM)
    updated, second = stack.update(of("sts.amazonaws.com", "other"), IAM), look(stack.resources)
    deleted = stack.delete()

    assert (created, updated, deleted) == ("CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE")
    assert (first, second) == (["sts.amazonaws.com"], ["other", "sts.amazonaws.com"])
    assert second_one == "ROLLBACK_COMPLETE"
    assert "AlreadyExists" in again.reasons("CREATE_FAILED")[0][1]


def test_a_bucket_and_its_policy(check, account):
    s3, name = account.client("s3"), account.name("bucket")

    def of(status, days, effect):
        resource = {"Fn::Sub": "${Bucket.Arn}/x"}
        one = {"Effect": effect, "Principal": "*", "Action": "s3:PutObject", "Resource": resource}
        bucket = {
            "BucketName": name,
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"BucketKeyEnabled": "true", "ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                ]
            },
            "VersioningConfiguration": {"Status": status},
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": "old",
                        "Status": "Enabled",
                        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
                        "ExpiredObjectDeleteMarker": True,
                    },
                    {
                        "Id": "uploads",
                        "Status": "Enabled",
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                    },
                ]
            },
        }
        policy = {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": {"Statement": [one]}}
        return template(Bucket=("AWS::S3::Bucket", bucket), Policy=("AWS::S3::BucketPolicy", policy))

    def look(_):
        rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        policy = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
        encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
        return (
            s3.get_bucket_versioning(Bucket=name)["Status"],
            {r["ID"]: r.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays") for r in rules},
            policy["Statement"][0]["Effect"],
            policy["Statement"][0]["Resource"],
            encryption["BucketKeyEnabled"],
            s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"],
            s3.get_bucket_tagging(Bucket=name)["TagSet"],
        )

    before, after, _ = check(of("Enabled", 90, "Allow"), of("Suspended", 30, "Deny"), look)

    common = (f"arn:aws:s3:::{name}/x", True, True, TAGS["Tags"])
    assert before == ("Enabled", {"old": 90, "uploads": None}, "Allow", *common)
    assert after == ("Suspended", {"old": 30, "uploads": None}, "Deny", *common)
    assert refused(s3.head_bucket, Bucket=name)[0] == "404"


def test_queues_and_their_policy(check, account):
    sqs, name = account.client("sqs"), account.name("queue")

    def of(seconds, receives, effect):
        document = {"Statement": [{"Effect": effect, "Principal": "*", "Action": "sqs:*", "Resource": "*"}]}
        redrive = {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": receives}
        queue = {"QueueName": name, "VisibilityTimeout": seconds, "RedrivePolicy": redrive}
        policy = {"Queues": [{"Ref": "Queue"}], "PolicyDocument": document}
        return template(
            Queue=("AWS::SQS::Queue", queue),
            Dead=("AWS::SQS::Queue", {"MessageRetentionPeriod": 1209600, "SqsManagedSseEnabled": True}),
            Policy=("AWS::SQS::QueuePolicy", policy),
        )

    def look(resources):
        found = sqs.get_queue_attributes(QueueUrl=resources["Queue"], AttributeNames=["All"])["Attributes"]
        return (
            found["VisibilityTimeout"],
            int(json.loads(found["RedrivePolicy"])["maxReceiveCount"]),
            json.loads(found["Policy"])["Statement"][0]["Effect"],
            sqs.list_queue_tags(QueueUrl=resources["Queue"])["Tags"],
        )

    before, after, resources = check(of(60, 3, "Allow"), of(90, 5, "Allow"), look)

    assert before == ("60", 3, "Allow", {"project": "x"})
    assert after == ("90", 5, "Allow", {"project": "x"})
    assert resources["Queue"].endswith(f"/{account.id}/{name}")


def test_log_groups(check, account):
    logs, name = account.client("logs"), account.name("group")

    def of(days):
        return template(Group=("AWS::Logs::LogGroup", {"LogGroupName": name, "RetentionInDays": days}))

    def look(_):
        [found] = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return found["retentionInDays"]

    before, after, _ = check(of(90), of("30"), look)

    assert (before, after) == (90, 30)
    assert logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] == []


def test_functions_with_their_mapping(check, account):
    functions, name = account.client("lambda"), account.name("function")
    access = [{"PolicyName": "queue", "PolicyDocument": statement(["sqs:*", "logs:*"])}]

    def of(text, timeout, batch, environment):
        function = {
            "FunctionName": name,
            "Runtime": "python3.14",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": f"def handler(event, context):\n    return '{text}'"},
            "MemorySize": 256,
            "Timeout": timeout,
            "LoggingConfig": {"LogGroup": f"/aws/lambda/{name}"},
            **environment,
        }
        mapping = {
            "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
            "FunctionName": {"Ref": "Function"},
            "BatchSize": batch,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "ScalingConfig": {"MaximumConcurrency": 2},
        }
        return template(
            Role=("AWS::IAM::Role", {"AssumeRolePolicyDocument": TRUST, "Policies": access}),
            Queue=("AWS::SQS::Queue", {"VisibilityTimeout": 60}),
            Function=("AWS::Lambda::Function", function),
            Mapping=("AWS::Lambda::EventSourceMapping", mapping),
        )

    def look(resources):
        configuration = functions.get_function_configuration(FunctionName=name)
        mapping = functions.get_event_source_mapping(UUID=resources["Mapping"])
        return (
            json.loads(functions.invoke(FunctionName=name)["Payload"].read()),
            configuration["Timeout"],
            configuration.get("Environment", {}).get("Variables", {}),
            mapping["BatchSize"],
            mapping["FunctionResponseTypes"],
        )

    variables = {"Environment": {"Variables": {"A": "1"}}}
    before, after, _ = check(of("one", 10, 3, variables), of("two", "20", "5", {}), look)

    responses = ["ReportBatchItemFailures"]
    assert before == ("one", 10, {"A": "1"}, 3, responses)
    assert after == ("two", 20, {}, 5, responses)
    assert refused(functions.get_function, FunctionName=name)[0] == "ResourceNotFoundException"
    assert functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"] == []


def test_alarms(check, account):
    cloudwatch, name = account.client("cloudwatch"), account.name("alarm")

    def of(threshold):
        alarm = {
            "AlarmName": name,
            "AlarmDescription": "too many",
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": "q"}],
            "Statistic": "Maximum",
            "Period": 300,
            "EvaluationPeriods": "1",
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        }
        return template(Alarm=("AWS::CloudWatch::Alarm", alarm))

    def look(_):
        [found] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return found["Threshold"], found["EvaluationPeriods"]

    before, after, _ = check(of(0), of("2.5"), look)

    assert (before, after) == ((0, 1), (2.5, 1))
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []


def test_model_package_groups_and_their_sharing(check, account):
    sagemaker, name = account.client("sagemaker"), account.name("group")

    def of(shared):
        arn = f"arn:aws:sagemaker:eu-west-1:{account.id}:model-package/{name}/*"
        share = {
            "Effect": "Allow",
            "Principal": {"AWS": "222222222222"},
            "Action": "sagemaker:DescribeModelPackage",
            "Resource": arn,
        }
        policy = {"ModelPackageGroupPolicy": {"Statement": [share]}} if shared else {}
        group = {"ModelPackageGroupName": name, "ModelPackageGroupDescription": "a group", **policy}
        return template(Group=("AWS::SageMaker::ModelPackageGroup", group))

    def look(resources):
        described = sagemaker.describe_model_package_group(ModelPackageGroupName=name)
        assert resources["Group"] == described["ModelPackageGroupArn"]
        try:
            sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)
        except sagemaker.exceptions.ClientError:
            return False
        return True

    before, after, _ = check(of(True), of(False), look)

    assert (before, after) == (True, False)
    assert (
        refused(sagemaker.describe_model_package_group, ModelPackageGroupName=name)[0]
        == "ValidationException"
    )
