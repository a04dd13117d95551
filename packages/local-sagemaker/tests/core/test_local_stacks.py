from __future__ import annotations

import json

import pytest
from botocore.exceptions import WaiterError
from core_kit import Stack, refused

WAIT = {"Delay": 0.1, "MaxAttempts": 1800}


QUEUE = """
    Parameters:
      Name: {Type: String}
      Seconds: {Type: Number, Default: 30}
      Second: {Type: String, Default: "no", AllowedValues: ["yes", "no"]}
    Conditions:
      HasSecond: !Equals [!Ref Second, "yes"]
    Resources:
      Later:
        Type: AWS::SQS::Queue
        Condition: HasSecond
        Properties:
          QueueName: !Sub "${First.QueueName}-second"
          RedrivePolicy: {deadLetterTargetArn: !GetAtt First.Arn, maxReceiveCount: 3}
      First:
        Type: AWS::SQS::Queue
        Properties: {QueueName: !Ref Name, VisibilityTimeout: !Ref Seconds}
    Outputs:
      Url: {Value: !Ref First, Description: where to send}
      Both: {Value: !Join [",", [!GetAtt First.QueueName, !If [HasSecond, !GetAtt Later.QueueName, none]]]}
    """


def test_the_life_of_a_stack(stack, account):
    name, sqs = account.name("queue"), account.client("sqs")

    created = stack.create(QUEUE, Name=name)
    stack.client.get_waiter("stack_create_complete").wait(StackName=stack.name, WaiterConfig=WAIT)
    first = stack.outputs
    again = refused(stack.client.update_stack, **stack.parameters(QUEUE, {"Name": name}, {}))
    extended = stack.update(QUEUE, Name=name, Seconds="60", Second="yes")
    second, resources = stack.outputs, stack.resources
    timeout = sqs.get_queue_attributes(QueueUrl=first["Url"], AttributeNames=["VisibilityTimeout"])
    reduced = stack.update(QUEUE, Name=name, Seconds="60")
    left = sqs.list_queues(QueueNamePrefix=name)["QueueUrls"]
    deleted = stack.delete()

    assert (created, extended, reduced, deleted) == (
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE",
        "DELETE_COMPLETE",
    )
    assert first == {"Url": first["Url"], "Both": f"{name},none"}
    assert again == ("ValidationError", "No updates are to be performed.")
    assert second["Both"] == f"{name},{name}-second"
    assert set(resources) == {"First", "Later"}
    assert timeout["Attributes"]["VisibilityTimeout"] == "60"
    assert left == [first["Url"]]
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix=name)
    assert refused(stack.client.describe_stacks, StackName=stack.name)[1].endswith("does not exist")
    assert stack.state["StackStatus"] == "DELETE_COMPLETE"


def test_a_resource_that_fails_rolls_the_stack_back_and_says_why(stack, account):
    taken, free = account.bucket(), account.name("queue")
    template = """
    Parameters: {Bucket: {Type: String}, Queue: {Type: String}}
    Resources:
      Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Queue}}
      Bucket: {Type: AWS::S3::Bucket, DependsOn: Queue, Properties: {BucketName: !Ref Bucket}}
    """

    status = stack.create(template, Bucket=taken, Queue=free)

    assert status == "ROLLBACK_COMPLETE"
    [(name, reason)] = stack.reasons("CREATE_FAILED")
    assert name == "Bucket"
    assert "AlreadyExists" in reason
    assert stack.reasons("ROLLBACK_IN_PROGRESS")[0][1] == (
        "The following resource(s) failed to create: [Bucket]. Rollback requested by user."
    )
    assert "QueueUrls" not in account.client("sqs").list_queues(QueueNamePrefix=free)
    with pytest.raises(WaiterError):
        stack.client.get_waiter("stack_create_complete").wait(StackName=stack.name, WaiterConfig=WAIT)
    update = refused(
        stack.client.update_stack, **stack.parameters(template, {"Bucket": "x", "Queue": "y"}, {})
    )
    assert "is in ROLLBACK_COMPLETE state and can not be updated" in update[1]
    assert refused(stack.client.create_stack, **stack.parameters(QUEUE, {"Name": "x"}, {}))[0] == (
        "AlreadyExistsException"
    )
    assert stack.delete() == "DELETE_COMPLETE"


def test_an_update_that_fails_restores_what_was(stack, account):
    name, sqs = account.name("queue"), account.client("sqs")
    broken = QUEUE.replace("maxReceiveCount: 3", "maxReceiveCount: none")
    stack.create(QUEUE, Name=name)
    url = stack.outputs["Url"]

    status = stack.update(broken, Name=name, Seconds="90", Second="yes")

    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert [n for n, _ in stack.reasons("CREATE_FAILED")] == ["Later"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "30"
    assert set(stack.resources) == {"First"}
    assert {p["ParameterKey"]: p["ParameterValue"] for p in stack.state["Parameters"]}["Seconds"] == "30"
    assert stack.update(QUEUE, Name=name, Seconds="45") == "UPDATE_COMPLETE"


def test_a_rollback_that_fails_can_be_continued(stack, account):
    bucket, s3 = account.bucket(), account.client("s3")
    role = account.role()
    template = """
    Parameters: {Bucket: {Type: String}, Key: {Type: String}, Role: {Type: String}, Name: {Type: String}}
    Resources:
      Function:
        Type: AWS::Lambda::Function
        Properties:
          Code: {S3Bucket: !Ref Bucket, S3Key: !Ref Key}
          FunctionName: !Ref Name
          Handler: code.handler
          Role: !Ref Role
          Runtime: python3.14
    """
    more = """
      Broken:
        Type: AWS::S3::BucketPolicy
        DependsOn: Function
        Properties: {Bucket: core-no-such-bucket, PolicyDocument: {Version: 2012-10-17, Statement: []}}
    """
    for key in ("one", "two"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"PK\x05\x06" + b"\0" * 18)
    given = {"Bucket": bucket, "Role": role, "Name": account.name("function")}
    stack.create(template, **given, Key="one")
    s3.delete_object(Bucket=bucket, Key="one")

    failed = stack.update(template.rstrip() + more, **given, Key="two")
    while_failed = refused(
        stack.client.update_stack, **stack.parameters(template, given | {"Key": "two"}, {})
    )
    s3.put_object(Bucket=bucket, Key="one", Body=b"PK\x05\x06" + b"\0" * 18)
    stack.client.continue_update_rollback(StackName=stack.name)
    continued = stack.settle()

    assert failed == "UPDATE_ROLLBACK_FAILED"
    assert "UPDATE_ROLLBACK_FAILED state" in while_failed[1]
    assert continued == "UPDATE_ROLLBACK_COMPLETE"
    assert set(stack.resources) == {"Function"}


def test_everything_is_done_with_the_rights_of_whoever_deploys(account, allow):
    stack = Stack(
        account, account.acting("cloudformation", allow("cloudformation:*"), allow("sqs:CreateQueue"))
    )
    permitted = Stack(account, account.acting("cloudformation", allow("cloudformation:*"), allow("sqs:*")))
    outsider = account.acting("cloudformation", allow("sqs:*"))
    template = """
    Resources:
      Queue: {Type: AWS::SQS::Queue}
      Policy:
        Type: AWS::SQS::QueuePolicy
        Properties: {Queues: [!Ref Queue], PolicyDocument: {Statement: []}}
    """

    refused_status, permitted_status = stack.create(template), permitted.create(template)

    assert permitted_status == "CREATE_COMPLETE"
    assert refused_status == "ROLLBACK_FAILED"  # it may not delete either
    [(name, reason)] = stack.reasons("CREATE_FAILED")
    assert name == "Policy"
    assert "is not authorized to perform: sqs:SetQueueAttributes" in reason
    assert "HandlerErrorCode: AccessDenied" in reason
    assert refused(outsider.describe_stacks, StackName=stack.name)[0] == "AccessDenied"


def test_a_service_role_does_it_where_one_is_given(account, allow):
    role = account.role(allow("sqs:*"))
    caller = account.acting("cloudformation", allow("cloudformation:*"), allow("iam:PassRole", role))
    stack = Stack(account, caller)

    status = stack.create("Resources: {Queue: {Type: 'AWS::SQS::Queue'}}", {"RoleARN": role})

    assert status == "CREATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_bucket_that_holds_something_is_not_deleted(stack, account):
    name = account.name("bucket")
    stack.create(f"Resources: {{Bucket: {{Type: 'AWS::S3::Bucket', Properties: {{BucketName: {name}}}}}}}")
    account.client("s3").put_object(Bucket=name, Key="a", Body=b"")

    failed = stack.delete()
    reason = stack.state["StackStatusReason"]
    account.client("s3").delete_object(Bucket=name, Key="a")

    assert failed == "DELETE_FAILED"
    assert "failed to delete: [Bucket]" in reason
    assert "not empty" in stack.reasons("DELETE_FAILED")[0][1]
    assert stack.delete() == "DELETE_COMPLETE"


def test_deletion_policies(stack, account):
    name = account.name("queue")
    template = f"""
    Resources:
      Kept: {{Type: AWS::SQS::Queue, DeletionPolicy: Retain, Properties: {{QueueName: {name}-kept}}}}
      Gone: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {name}-gone}}}}
    """
    stack.create(template)

    stack.delete()

    [left] = account.client("sqs").list_queues(QueueNamePrefix=name)["QueueUrls"]
    assert left.endswith("-kept")


def test_a_resource_kept_except_on_creation_goes_with_a_failed_one(stack, account):
    name = account.name("queue")
    template = f"""
    Resources:
      Queue:
        Type: AWS::SQS::Queue
        DeletionPolicy: RetainExceptOnCreate
        Properties: {{QueueName: {name}}}
      Bad:
        Type: AWS::SQS::Queue
        DependsOn: Queue
        Properties: {{QueueName: "not a name"}}
    """

    assert stack.create(template) == "ROLLBACK_COMPLETE"
    assert "QueueUrls" not in account.client("sqs").list_queues(QueueNamePrefix=name)


def test_a_named_resource_cannot_be_replaced_and_an_unnamed_one_is(stack, account):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    more = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}

    def template(description, name):
        properties = {"Description": description, "PolicyDocument": policy} | name
        body = {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}
        return json.dumps({"Resources": {"Policy": body}, "Outputs": {"Arn": {"Value": {"Ref": "Policy"}}}})

    named = {"ManagedPolicyName": account.name("policy")}
    stack.create(template("one", {}), more)
    before = stack.outputs["Arn"]
    replaced = stack.update(template("two", {}), more)
    after = stack.outputs["Arn"]
    fixed = Stack(account)
    fixed.create(template("one", named), more)
    refusal = fixed.update(template("two", named), more)

    assert replaced == "UPDATE_COMPLETE"
    assert after != before
    iam = account.client("iam")
    assert refused(iam.get_policy, PolicyArn=before)[0] == "NoSuchEntity"
    assert refusal == "UPDATE_ROLLBACK_COMPLETE"
    assert "custom-named resource requires replacing" in fixed.reasons("UPDATE_FAILED")[0][1]
    assert iam.get_policy(PolicyArn=fixed.outputs["Arn"])["Policy"]["Description"] == "one"


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"DisableRollback": True}, "DisableRollback"),
        ({"EnableTerminationProtection": True}, "EnableTerminationProtection"),
        ({"OnFailure": "DELETE"}, "OnFailure DELETE"),
    ],
)
def test_an_option_that_would_have_no_effect_is_refused(stack, option, told):
    template = "Resources: {Queue: {Type: 'AWS::SQS::Queue'}}"

    refusal = refused(stack.client.create_stack, **stack.parameters(template, {}, option))

    assert refusal == ("ValidationError", f"the local AWS does not offer {told}")


def test_the_parameters_of_a_template_are_told_to_who_updates_a_stack(stack, account):
    stack.create(QUEUE, Name=account.name("queue"))

    of_stack = stack.client.get_template_summary(StackName=stack.name)
    of_text = stack.client.get_template_summary(TemplateBody="Resources: {A: {Type: 'AWS::SQS::Queue'}}")

    assert [p["ParameterKey"] for p in of_stack["Parameters"]] == ["Name", "Seconds", "Second"]
    assert of_text["Parameters"] == []
    assert of_text["ResourceTypes"] == ["AWS::SQS::Queue"]


class TestChangeSets:
    def test_create_then_update(self, stack, account):
        name, client = account.name("queue"), stack.client

        created = client.create_change_set(
            ChangeSetName="first", ChangeSetType="CREATE", **stack.parameters(QUEUE, {"Name": name}, {})
        )
        stack.id = created["StackId"]
        client.get_waiter("change_set_create_complete").wait(
            ChangeSetName=created["Id"], StackName=stack.name, WaiterConfig=WAIT
        )
        review = stack.state["StackStatus"]
        shown = client.describe_change_set(ChangeSetName="first", StackName=stack.name)
        client.execute_change_set(ChangeSetName="first", StackName=stack.name)
        done = stack.settle()
        client.create_change_set(
            ChangeSetName="second",
            **stack.parameters(QUEUE, {"Name": name, "Second": "yes", "Seconds": "31"}, {}),
        )
        update = client.describe_change_set(ChangeSetName="second", StackName=stack.name)
        client.execute_change_set(ChangeSetName="second", StackName=stack.name)

        assert review == "REVIEW_IN_PROGRESS"
        assert done == "CREATE_COMPLETE"
        assert [c["ResourceChange"]["Action"] for c in shown["Changes"]] == ["Add"]
        changes = {
            c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Action"] for c in update["Changes"]
        }
        assert changes == {"First": "Modify", "Later": "Add"}
        assert stack.settle() == "UPDATE_COMPLETE"

    def test_one_without_changes_fails_and_cannot_be_executed(self, stack, account):
        name, client = account.name("queue"), stack.client
        stack.create(QUEUE, Name=name)

        client.create_change_set(ChangeSetName="nothing", **stack.parameters(QUEUE, {"Name": name}, {}))
        shown = client.describe_change_set(ChangeSetName="nothing", StackName=stack.name)

        assert shown["Status"] == "FAILED"
        assert "didn't contain changes" in shown["StatusReason"]
        code, _ = refused(client.execute_change_set, ChangeSetName="nothing", StackName=stack.name)
        assert code == "InvalidChangeSetStatus"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Resources: {", "Template format error: YAML not well-formed. (line 1"),
        ("Resources: {}", "At least one Resources member must be defined"),
        (
            "Ressources: {}\nResources: {A: {Type: 'AWS::SQS::Queue'}}",
            "template property or properties [Ressources]",
        ),
        (
            "Resources: {A: {Properties: {}}}",
            "[/Resources/A] Every Resources object must contain a Type member",
        ),
        (
            "Resources: {A: {Type: 'AWS::Nothing::There'}}",
            "Unrecognized resource types: [AWS::Nothing::There]",
        ),
        (
            "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Ref B}}}",
            "Unresolved resource dependencies [B] in the Resources block",
        ),
        (
            "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: !Sub 'x-${B.Arn}'}}}",
            "Unresolved resource dependencies [B] in the Resources block",
        ),
        *(
            (f"Resources: {{A: {{Type: '{kind}'}}}}", f"Unrecognized resource types: [{kind}]")
            for kind in ("AWS::CloudFormation::Stack", "AWS::SageMaker::Endpoint")  # moto has these
        ),
        (
            "Rules: {R: {}}\nResources: {A: {Type: 'AWS::SQS::Queue'}}",
            "Invalid template property or properties [Rules]",
        ),
        (
            "Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {QueueName: '{{resolve:ssm:name}}'}}}",
            "the local AWS does not offer dynamic references",
        ),
        (
            "Resources: {A: {Type: 'AWS::SQS::Queue'}}\nOutputs: {A: {Value: !Ref A, Export: {Name: a}}}",
            "the local AWS does not offer exports: leave Export of output A out",
        ),
        (
            "Resources:\n"
            " A: {Type: 'AWS::SQS::Queue', DependsOn: B}\n"
            " B: {Type: 'AWS::SQS::Queue', DependsOn: A}",
            "Circular dependency between resources: [A, B]",
        ),
        (
            "Parameters: {P: {Type: String}}\nResources: {A: {Type: 'AWS::SQS::Queue'}}",
            "Parameters: [P] must have values",
        ),
        (
            "Parameters: {P: {Type: String, Default: x, AllowedPattern: '[0-9]+'}}\n"
            "Resources: {A: {Type: 'AWS::SQS::Queue'}}",
            "Parameter P failed to satisfy constraint: Member must satisfy regular expression pattern",
        ),
        (
            "Parameters: {P: {Type: Number, Default: 5, MaxValue: 4}}\n"
            "Resources: {A: {Type: 'AWS::SQS::Queue'}}",
            "Parameter P failed to satisfy constraint",
        ),
    ],
)
def test_a_template_that_is_wrong_is_refused_before_anything_is_made(stack, template, message):
    code, told = refused(stack.client.create_stack, **stack.parameters(template, {}, {}))

    assert code == "ValidationError"
    assert message in told
    assert refused(stack.client.describe_stacks, StackName=stack.name)[0] == "ValidationError"


def test_an_unknown_property_fails_its_resource(stack):
    status = stack.create("Resources: {A: {Type: 'AWS::SQS::Queue', Properties: {Nmae: x}}}")

    assert status == "ROLLBACK_COMPLETE"
    assert stack.reasons("CREATE_FAILED") == [("A", "Encountered unsupported property Nmae")]


@pytest.mark.parametrize(
    ("name", "given", "needed"),
    [("{}", [], "CAPABILITY_IAM"), ("{RoleName: x}", ["CAPABILITY_IAM"], "CAPABILITY_NAMED_IAM")],
)
def test_iam_needs_a_capability(stack, name, given, needed):
    template = f"Resources: {{Role: {{Type: 'AWS::IAM::Role', Properties: {name}}}}}"

    refusal = refused(stack.client.create_stack, **stack.parameters(template, {}, {"Capabilities": given}))

    assert refusal == ("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def test_a_type_of_motos_own_works(stack, account):
    status = stack.create("""
    Resources:
      Parameter: {Type: AWS::SSM::Parameter, Properties: {Type: String, Value: one}}
    """)

    found = account.client("ssm").get_parameter(Name=stack.resources["Parameter"])
    assert status == "CREATE_COMPLETE"
    assert found["Parameter"]["Value"] == "one"
    assert stack.delete() == "DELETE_COMPLETE"
