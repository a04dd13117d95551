from __future__ import annotations

import contextlib
import urllib.error
import urllib.request

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from core_kit import policy, refused

from local_sagemaker import actors

ARN = "arn:aws:{service}:eu-west-1:123456789012:{rest}"


def arn(service, rest):
    return ARN.format(service=service, rest=rest)


def keys(aws):
    return {
        "aws_access_key_id": aws.environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": aws.environment["AWS_SECRET_ACCESS_KEY"],
        "region_name": aws.region,
    }


def test_a_right_reaches_as_far_as_its_resource(account, allow):
    sqs = account.acting("sqs", allow("sqs:*", arn("sqs", "core-mine-*")))

    sqs.create_queue(QueueName="core-mine-1")
    code, message = refused(sqs.create_queue, QueueName="core-other-1")

    assert code == "AccessDenied"
    assert "is not authorized to perform: sqs:CreateQueue" in message
    assert "on resource: arn:aws:sqs:eu-west-1:123456789012:core-other-1" in message
    assert "assumed-role/" in message
    assert "because no identity-based policy allows the sqs:CreateQueue action" in message


def test_an_explicit_deny_wins(account, allow):
    deny = {"Effect": "Deny", "Action": "sqs:Delete*", "Resource": "*"}
    sqs = account.acting("sqs", allow("*"), deny)
    url = sqs.create_queue(QueueName=account.name("queue"))["QueueUrl"]

    _, message = refused(sqs.delete_queue, QueueUrl=url)

    assert message.endswith("with an explicit deny in an identity-based policy")


def test_not_action_and_not_resource(account, allow):
    statement = {"Effect": "Allow", "NotAction": "sqs:Delete*", "NotResource": arn("sqs", "core-secret*")}
    sqs = account.acting("sqs", statement)
    url = sqs.create_queue(QueueName=account.name("queue"))["QueueUrl"]

    assert refused(sqs.delete_queue, QueueUrl=url)[0] == "AccessDenied"
    assert refused(sqs.create_queue, QueueName="core-secret-1")[0] == "AccessDenied"


def test_attached_policy_and_boundary(account, allow):
    iam = account.client("iam")
    names = [account.name("policy") for _ in range(2)]
    arns = [
        iam.create_policy(PolicyName=name, PolicyDocument=policy(allow(action)))["Policy"]["Arn"]
        for name, action in zip(names, ["sqs:*", ["sqs:ListQueues", "s3:*"]], strict=True)
    ]
    role = account.role()
    iam.attach_role_policy(RoleName=role.split("/")[-1], PolicyArn=arns[0])
    iam.put_role_permissions_boundary(RoleName=role.split("/")[-1], PermissionsBoundary=arns[1])
    credentials = actors.credentials(role, None, "eu-west-1")

    actors.client_with("sqs", credentials).list_queues()
    _, message = refused(actors.client_with("sqs", credentials).create_queue, QueueName="core-bounded")
    _, of_s3 = refused(actors.client_with("s3", credentials).list_buckets)

    assert message.endswith("because no permissions boundary allows the sqs:CreateQueue action")
    assert "because no identity-based policy allows the s3:ListAllMyBuckets action" in of_s3


def test_a_policy_that_a_role_has_is_not_deleted(account, allow):
    iam, name = account.client("iam"), account.role().split("/")[-1]
    document = policy(allow("sqs:*"))
    arn = iam.create_policy(PolicyName=account.name("policy"), PolicyDocument=document)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=arn)

    code, message = refused(iam.delete_policy, PolicyArn=arn)

    assert (code, message) == ("DeleteConflict", "Cannot delete a policy attached to entities.")
    iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)


def test_a_boundary_whose_policy_is_not_there_allows_nothing(account, allow):
    role = account.role(allow("*"))
    managed_by_aws = "arn:aws:iam::aws:policy/PowerUserAccess"
    account.client("iam").put_role_permissions_boundary(
        RoleName=role.split("/")[-1], PermissionsBoundary=managed_by_aws
    )
    sqs = actors.client_with("sqs", actors.credentials(role, None, "eu-west-1"))

    _, message = refused(sqs.list_queues)

    assert message.endswith("because no permissions boundary allows the sqs:ListQueues action")


def test_errors_bear_the_code_of_their_service(account):
    nothing = {
        ("sagemaker", "list_models"): "AccessDeniedException",
        ("lambda", "list_functions"): "AccessDeniedException",
        ("logs", "describe_log_groups"): "AccessDeniedException",
        ("events", "list_rules"): "AccessDeniedException",
        ("s3", "list_buckets"): "AccessDenied",
        ("iam", "list_roles"): "AccessDenied",
        ("sqs", "list_queues"): "AccessDenied",
        ("cloudformation", "list_stacks"): "AccessDenied",
        ("cloudwatch", "list_metrics"): "AccessDenied",
    }

    codes = {(service, call): refused(getattr(account.acting(service), call))[0] for service, call in nothing}

    assert codes == nothing


def test_everybody_may_ask_who_he_is(account):
    assert ":assumed-role/core-role-" in account.acting("sts").get_caller_identity()["Arn"]


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("sagemaker", "list_models", "UnrecognizedClientException"),
    ],
)
def test_an_unknown_key_is_nobody(local_aws, service, call, code):
    keys = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "secret"}
    client = boto3.client(service, endpoint_url=local_aws.url, region_name="eu-west-1", **keys)

    assert refused(getattr(client, call))[0] == code


def test_a_wrong_secret_is_noticed(local_aws):
    environment = local_aws.environment | {"AWS_SECRET_ACCESS_KEY": "guessed"}

    assert refused(actors.client_with("s3", environment).list_buckets)[0] == "SignatureDoesNotMatch"
    assert refused(actors.client_with("sqs", environment).list_queues)[0] == "SignatureDoesNotMatch"
    assert refused(actors.client_with("sagemaker", environment).list_models)[0] == "InvalidSignatureException"


def test_odd_keys_and_queries_are_signed_right(account):
    s3, bucket, key = account.client("s3"), account.bucket(), "a b/ü+c=d&e~(1)*'!.txt"

    s3.put_object(Bucket=bucket, Key=key, Body=b"x")

    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"x"
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket, Prefix="a b/ü+")["Contents"]] == [key]
    functions = account.client("lambda")
    missing = "arn:aws:lambda:eu-west-1:123456789012:function:core-no-such"
    assert refused(functions.get_function, FunctionName=missing)[0] == "ResourceNotFoundException"


def test_a_presigned_url_works_for_its_key_alone(account, local_aws):
    bucket = account.bucket(one="1", two="2")
    s3 = boto3.client(
        "s3", config=Config(signature_version="s3v4"), endpoint_url=local_aws.url, **keys(local_aws)
    )
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "one"})

    assert urllib.request.urlopen(url, timeout=60).read() == b"1"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url.replace("/one", "/two"), timeout=60)
    assert caught.value.code == 403


def test_a_presigned_url_of_another_service_is_refused(account):
    url = account.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url, timeout=60)
    assert b"the local AWS offers presigned URLs of S3 alone" in caught.value.read()


class TestS3:
    def test_operations_need_the_actions_of_their_kind(self, account, allow):
        bucket = account.bucket(a="1", b="2")
        s3 = account.acting("s3", allow("s3:GetObject", f"arn:aws:s3:::{bucket}/a"))

        assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
        assert s3.head_object(Bucket=bucket, Key="a")["ContentLength"] == 1
        assert refused(s3.get_object, Bucket=bucket, Key="b")[0] == "AccessDenied"
        assert refused(s3.head_object, Bucket=bucket, Key="b")[0] == "403"
        assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"")[0] == "AccessDenied"
        assert refused(s3.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"

    def test_only_who_may_list_learns_that_an_object_is_missing(self, account, allow):
        bucket = account.bucket()
        reader = account.acting("s3", allow("s3:GetObject"))
        lister = account.acting("s3", allow(["s3:GetObject", "s3:ListBucket"]))

        assert refused(reader.get_object, Bucket=bucket, Key="none")[0] == "AccessDenied"
        assert refused(lister.get_object, Bucket=bucket, Key="none")[0] == "NoSuchKey"

    def test_prefix_condition(self, account, allow):
        bucket = account.bucket()
        condition = {"StringLike": {"s3:prefix": "mine/*"}}
        s3 = account.acting("s3", allow("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition=condition))

        s3.list_objects_v2(Bucket=bucket, Prefix="mine/a")
        assert refused(s3.list_objects_v2, Bucket=bucket, Prefix="other/")[0] == "AccessDenied"
        assert refused(s3.list_objects_v2, Bucket=bucket)[0] == "AccessDenied"

    def test_copying_needs_the_source_too(self, account, allow):
        bucket = account.bucket(a="1")
        s3 = account.acting("s3", allow("s3:PutObject"))
        source = {"Bucket": bucket, "Key": "a"}

        _, message = refused(s3.copy_object, Bucket=bucket, Key="b", CopySource=source)

        assert "s3:GetObject" in message

    def test_deleting_several_is_decided_for_each(self, account, allow):
        bucket = account.bucket(a="1", b="2")
        s3 = account.acting("s3", allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/a"))

        answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "b"}]})

        assert [d["Key"] for d in answer["Deleted"]] == ["a"]
        assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [("b", "AccessDenied")]

    def test_deleting_a_version_is_a_right_of_its_own(self, account, allow):
        bucket, s3 = account.bucket(), account.client("s3")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        versions = [s3.put_object(Bucket=bucket, Key="a", Body=b"")["VersionId"] for _ in range(2)]
        objects = {"Objects": [{"Key": "a", "VersionId": version} for version in versions]}
        of_objects = account.acting("s3", allow("s3:DeleteObject"))
        of_versions = account.acting("s3", allow("s3:DeleteObjectVersion"))

        refusal = of_objects.delete_objects(Bucket=bucket, Delete=objects)
        _, message = refused(of_objects.delete_object, Bucket=bucket, Key="a", VersionId=versions[0])
        marker = of_versions.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}]})
        answer = of_versions.delete_objects(Bucket=bucket, Delete=objects)

        assert [error["Code"] for error in refusal["Errors"]] == ["AccessDenied", "AccessDenied"]
        assert "s3:DeleteObjectVersion" in message
        assert [error["Code"] for error in marker["Errors"]] == ["AccessDenied"]
        assert [deleted["VersionId"] for deleted in answer["Deleted"]] == versions
        assert "Versions" not in s3.list_object_versions(Bucket=bucket)

    def test_a_policy_that_demands_tls_does_not_shut_the_loopback_out(self, account):
        bucket = account.bucket(a="1")
        deny = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        account.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy(deny))

        assert account.client("s3").get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"

    def test_a_bucket_policy_can_deny_even_the_administrator(self, account):
        bucket = account.bucket(a="1")
        deny = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/*",
        }
        account.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy(deny))

        _, message = refused(account.client("s3").get_object, Bucket=bucket, Key="a")

        assert message.endswith("with an explicit deny in a resource-based policy")

    def test_another_account_needs_both_policies(self, account, other_account, allow):
        bucket = account.bucket(a="1", b="2")
        share = {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/a",
        }
        reader, nobody = other_account.acting("s3", allow("s3:GetObject")), other_account.acting("s3")

        before = refused(reader.get_object, Bucket=bucket, Key="a")
        account.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy(share))

        assert before[0] == "AccessDenied"
        assert "because no resource-based policy allows" in before[1]
        assert reader.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
        assert refused(reader.get_object, Bucket=bucket, Key="b")[0] == "AccessDenied"
        assert refused(nobody.get_object, Bucket=bucket, Key="a")[0] == "AccessDenied"


def test_a_queue_policy_opens_the_queue_to_another_account(account, other_account, allow):
    sqs, name = account.client("sqs"), account.name("queue")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sender = other_account.acting("sqs", allow("sqs:SendMessage"))
    before = refused(sender.send_message, QueueUrl=url, MessageBody="x")
    share = allow("sqs:SendMessage", arn("sqs", name), Principal={"AWS": "222222222222"})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(share)})

    sender.send_message(QueueUrl=url, MessageBody="from afar")

    assert before[0] == "AccessDenied"
    assert sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"] == "from afar"


class TestSageMaker:
    def test_approval_is_a_condition(self, account, allow):
        sagemaker, group = account.client("sagemaker"), account.name("group")
        sagemaker.create_model_package_group(ModelPackageGroupName=group)
        package = sagemaker.create_model_package(
            ModelPackageGroupName=group,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={"Containers": [{"Image": "1.dkr.ecr.eu-west-1.amazonaws.com/a:1"}]},
        )["ModelPackageArn"]
        never = {
            "Effect": "Deny",
            "Action": ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"],
            "Resource": "*",
            "Condition": {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
        }
        retrain = account.acting("sagemaker", allow("sagemaker:*"), never)
        approve = account.acting("sagemaker", allow("sagemaker:UpdateModelPackage", f"{package[:-1]}*"))

        retrain.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Rejected")
        code, _ = refused(
            retrain.update_model_package, ModelPackageArn=package, ModelApprovalStatus="Approved"
        )
        approve.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")

        assert code == "AccessDeniedException"

    def test_instance_types_are_a_condition(self, account, allow):
        condition = {"ForAllValues:StringEquals": {"sagemaker:InstanceTypes": ["ml.m5.large"]}}
        sagemaker = account.acting("sagemaker", allow("sagemaker:*", Condition=condition))

        def parameters(instance_type):
            variant = {"VariantName": "v", "ModelName": "core-none", "InitialInstanceCount": 1}
            return {
                "EndpointConfigName": account.name("config"),
                "ProductionVariants": [variant | {"InstanceType": instance_type}],
            }

        denied, _ = refused(sagemaker.create_endpoint_config, **parameters("ml.p5.48xlarge"))
        assert denied == "AccessDeniedException"

    @pytest.mark.parametrize(
        ("resource", "service", "allowed"),
        [
            ("*", "sagemaker.amazonaws.com", True),
            ("*", "lambda.amazonaws.com", False),
            (arn("iam", "role/other").replace(":eu-west-1", ":"), "sagemaker.amazonaws.com", False),
        ],
    )
    def test_handing_over_a_role_needs_pass_role(self, account, allow, resource, service, allowed):
        condition = {"StringEquals": {"iam:PassedToService": service}}
        passing = allow("iam:PassRole", resource, Condition=condition)
        sagemaker = account.acting("sagemaker", allow("sagemaker:*"), passing)
        parameters = {
            "ModelName": account.name("model"),
            "PrimaryContainer": {"Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a:1"},
            "ExecutionRoleArn": account.role(),
        }

        if allowed:
            sagemaker.create_model(**parameters)
        else:
            _, message = refused(sagemaker.create_model, **parameters)
            assert "iam:PassRole on resource: " + parameters["ExecutionRoleArn"] in message

    def test_tagging_what_one_creates_needs_the_right_to_tag(self, account, allow):
        sagemaker = account.acting("sagemaker", allow("sagemaker:CreateModelPackageGroup"))
        tags = [{"Key": "project", "Value": "x"}]

        sagemaker.create_model_package_group(ModelPackageGroupName=account.name("group"))
        _, message = refused(
            sagemaker.create_model_package_group, ModelPackageGroupName=account.name("group"), Tags=tags
        )

        assert "sagemaker:AddTags" in message

    def test_whoever_registers_a_version_needs_rights_on_its_images(self, account, allow):
        group = account.name("group")
        account.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
        image = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/autogluon-inference:1.6"
        version = {
            "ModelPackageGroupName": group,
            "InferenceSpecification": {"Containers": [{"Image": image}]},
        }
        repository = "arn:aws:ecr:eu-west-1:763104351884:repository/autogluon-inference"
        names = ["ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
        may = [
            account.acting(
                "sagemaker", allow("sagemaker:CreateModelPackage"), allow(names[:count] or "s3:*", repository)
            )
            for count in range(4)
        ]

        refusals = [refused(one.create_model_package, **version)[1] for one in may[:3]]
        may[3].create_model_package(**version)

        wanted = [f"{name} on resource: {repository}" for name in names]
        assert all(name in text for name, text in zip(wanted, refusals, strict=True)), refusals

    def test_a_version_is_registered_in_its_group_and_under_its_own_name(self, account, allow):
        group = account.name("group")
        account.client("sagemaker").create_model_package_group(ModelPackageGroupName=group)
        version = {
            "ModelPackageGroupName": group,
            "InferenceSpecification": {"Containers": [{"Image": "registry/a:1"}]},
        }
        named = [
            arn("sagemaker", f"model-package-group/{group}"),
            arn("sagemaker", f"model-package/{group}/*"),
        ]
        halves = [account.acting("sagemaker", allow("sagemaker:CreateModelPackage", one)) for one in named]
        whole = account.acting("sagemaker", allow("sagemaker:CreateModelPackage", named))

        codes = [refused(half.create_model_package, **version)[0] for half in halves]
        whole.create_model_package(**version)

        assert codes == ["AccessDeniedException"] * 2

    @pytest.mark.parametrize(
        ("operation", "parameters"),
        [
            ("list_model_packages", {"ModelPackageGroupName": "core-group"}),
            ("send_pipeline_execution_step_success", {"CallbackToken": "unknown123"}),
            ("send_pipeline_execution_step_failure", {"CallbackToken": "unknown123"}),
        ],
    )
    def test_what_sources_disagree_on_has_to_be_allowed_either_way(
        self, account, allow, operation, parameters
    ):
        action = f"sagemaker:{operation.title().replace('_', '')}"
        named = allow(action, [arn("sagemaker", "*")])
        scoped, wide = (account.acting("sagemaker", one) for one in (named, allow(action)))

        _, message = refused(getattr(scoped, operation), **parameters)
        with contextlib.suppress(ClientError):  # there is no such token
            getattr(wide, operation)(**parameters)
        code = "" if operation.startswith("list") else refused(getattr(wide, operation), **parameters)[0]

        assert f"{action} on resource: *" in message
        assert code != "AccessDeniedException"

    def test_a_group_policy_opens_its_versions_to_another_account(self, account, other_account, allow):
        sagemaker, group = account.client("sagemaker"), account.name("group")
        group_arn = sagemaker.create_model_package_group(ModelPackageGroupName=group)["ModelPackageGroupArn"]
        package = sagemaker.create_model_package(
            ModelPackageGroupName=group,
            InferenceSpecification={"Containers": [{"Image": "1.dkr.ecr.eu-west-1.amazonaws.com/a:1"}]},
        )["ModelPackageArn"]
        versions = group_arn.replace("model-package-group", "model-package") + "/*"
        reader = other_account.acting("sagemaker", allow("sagemaker:DescribeModelPackage"))
        before = refused(reader.describe_model_package, ModelPackageName=package)
        share = allow("sagemaker:DescribeModelPackage", versions, Principal={"AWS": "222222222222"})
        sagemaker.put_model_package_group_policy(ModelPackageGroupName=group, ResourcePolicy=policy(share))

        seen = reader.describe_model_package(ModelPackageName=package)

        assert before[0] == "AccessDeniedException"
        assert seen["ModelPackageArn"] == package


class TestScaling:
    @pytest.mark.parametrize(
        ("operation", "alarms"),
        [
            ("put_scaling_policy", ["DescribeAlarms", "PutMetricAlarm"]),
            ("delete_scaling_policy", ["DescribeAlarms", "DeleteAlarms"]),
            ("deregister_scalable_target", ["DescribeAlarms", "DeleteAlarms"]),
        ],
    )
    def test_the_alarms_of_a_policy_are_the_caller_s(self, account, allow, operation, alarms):
        tracked = arn("cloudwatch", "alarm:TargetTracking-endpoint/core-nobody/*")
        scale = allow("application-autoscaling:*")
        reach = allow(["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"])
        clients = [
            account.acting("application-autoscaling", scale, allow([f"cloudwatch:{name}"], tracked))
            for name in alarms
        ]
        both = account.acting(
            "application-autoscaling", scale, reach, allow([f"cloudwatch:{name}" for name in alarms], tracked)
        )
        given = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": "endpoint/core-nobody/variant/AllTraffic",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            **({} if operation.startswith("deregister") else {"PolicyName": "invocations"}),
        }

        refusals = [refused(getattr(one, operation), **given)[1] for one in clients]
        code, _ = refused(getattr(both, operation), **given)

        for other, message in zip(reversed(alarms), refusals, strict=True):
            assert f"cloudwatch:{other} on resource: arn:aws:cloudwatch" in message
        # Past IAM, there is no such target.
        assert code in ("ObjectNotFoundException", "ValidationException")


class TestQuotas:
    def test_policies_have_a_size(self, account, allow):
        iam, name = account.client("iam"), account.name("policy")
        role = account.role().split("/")[-1]
        long = policy(*[allow(f"s3:{'x' * 60}{number}") for number in range(60)])
        huge = policy(*[allow(f"s3:{'x' * 100}{number}") for number in range(80)])

        managed = refused(iam.create_policy, PolicyName=name, PolicyDocument=long)
        inline = refused(iam.put_role_policy, RoleName=role, PolicyName="x", PolicyDocument=huge)

        assert managed == ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
        assert inline == ("LimitExceeded", f"Maximum policy size of 10240 bytes exceeded for role {role}")

    def test_a_role_takes_ten_managed_policies(self, account, allow):
        iam, role = account.client("iam"), account.role().split("/")[-1]
        arns = [
            iam.create_policy(PolicyName=account.name("policy"), PolicyDocument=policy(allow("s3:*")))[
                "Policy"
            ]["Arn"]
            for _ in range(11)
        ]
        for arn_ in arns[:10]:
            iam.attach_role_policy(RoleName=role, PolicyArn=arn_)

        iam.attach_role_policy(RoleName=role, PolicyArn=arns[0])
        assert refused(iam.attach_role_policy, RoleName=role, PolicyArn=arns[10])[0] == "LimitExceeded"

    @pytest.mark.parametrize("operator", ["StringSomewhatLike", "ForMostValues:StringLike"])
    def test_a_condition_operator_that_there_is_not_is_refused_at_once(self, account, allow, operator):
        iam, role = account.client("iam"), account.role().split("/")[-1]
        document = policy(allow("s3:*", Condition={operator: {"a:b": "x"}}))

        code, message = refused(iam.put_role_policy, RoleName=role, PolicyName="x", PolicyDocument=document)

        assert code == "MalformedPolicyDocument"
        assert operator in message
