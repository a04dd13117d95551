"""Keys of KMS: whoever reads or writes what they encrypt needs rights on them too."""

from __future__ import annotations

import json

import pytest
from core_kit import policy, refused

OBJECTS = ["s3:GetObject", "s3:PutObject"]


@pytest.fixture
def key(account):
    return account.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def encrypted(account, key):
    """A bucket whose objects are encrypted with the key, one of which is there."""
    name, s3 = account.bucket(), account.client("s3")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    s3.put_object(Bucket=name, Key="there", Body=b"x")
    return name


def test_a_bucket_s_default_key_takes_rights_to_write_and_to_read(account, allow, encrypted, key):
    bare = account.acting("s3", allow(OBJECTS))
    writes = account.acting("s3", allow(OBJECTS), allow("kms:GenerateDataKey", key))
    reads = account.acting("s3", allow(OBJECTS), allow("kms:Decrypt", key))
    place = {"Bucket": encrypted, "Key": "there"}

    code, message = refused(bare.put_object, Bucket=encrypted, Key="new", Body=b"y")
    assert code == "AccessDenied"
    assert f"is not authorized to perform: kms:GenerateDataKey on resource: {key}" in message
    writes.put_object(Bucket=encrypted, Key="new", Body=b"y")
    assert "kms:Decrypt" in refused(bare.get_object, **place)[1]
    assert "kms:Decrypt" in refused(writes.get_object, **place)[1]
    assert reads.get_object(**place)["Body"].read() == b"x"
    assert bare.head_object(**place)["SSEKMSKeyId"] == key
    assert refused(bare.head_object, ChecksumMode="ENABLED", **place)[0] == "403"


def test_a_request_s_own_choice_goes_before_the_bucket_s(account, allow, encrypted, key):
    other = account.client("kms").create_key()["KeyMetadata"]["KeyId"]
    somebody = account.acting("s3", allow(OBJECTS))
    new = {"Bucket": encrypted, "Key": "new", "Body": b"y"}

    somebody.put_object(ServerSideEncryption="AES256", **new)
    _, message = refused(somebody.put_object, ServerSideEncryption="aws:kms", SSEKMSKeyId=other, **new)

    assert f"kms:GenerateDataKey on resource: arn:aws:kms:eu-west-1:{account.id}:key/{other}" in message
    assert somebody.get_object(Bucket=encrypted, Key="new")["Body"].read() == b"y"


def test_an_upload_in_parts_decrypts_too(account, allow, encrypted, key):
    writes = account.acting("s3", allow(OBJECTS), allow("kms:GenerateDataKey", key))
    both = account.acting("s3", allow(OBJECTS), allow(["kms:GenerateDataKey", "kms:Decrypt"], key))
    large = {"Bucket": encrypted, "Key": "large"}

    assert "kms:Decrypt" in refused(writes.create_multipart_upload, **large)[1]
    assert both.create_multipart_upload(**large)["UploadId"]


def test_a_copy_reads_with_one_key_and_writes_with_the_other(account, allow, encrypted, key):
    plain = account.bucket()
    writes = account.acting("s3", allow(OBJECTS), allow("kms:GenerateDataKey", key))
    reads = account.acting("s3", allow(OBJECTS), allow("kms:Decrypt", key))
    out = {"Bucket": plain, "Key": "copy", "CopySource": {"Bucket": encrypted, "Key": "there"}}

    assert "kms:Decrypt" in refused(writes.copy_object, **out)[1]
    reads.copy_object(**out)
    back = {"Bucket": encrypted, "Key": "copy", "CopySource": {"Bucket": plain, "Key": "copy"}}
    assert "kms:GenerateDataKey" in refused(reads.copy_object, **back)[1]


def test_each_version_has_the_key_that_it_was_written_with(account, allow, encrypted, key):
    administrator, place = account.client("s3"), {"Bucket": encrypted, "Key": "there"}
    administrator.put_bucket_versioning(Bucket=encrypted, VersioningConfiguration={"Status": "Enabled"})
    first = administrator.put_object(Body=b"1", **place)["VersionId"]
    administrator.put_object(Body=b"2", ServerSideEncryption="AES256", **place)
    somebody = account.acting("s3", allow([*OBJECTS, "s3:GetObjectVersion"]))

    assert somebody.get_object(**place)["Body"].read() == b"2"
    assert "kms:Decrypt" in refused(somebody.get_object, VersionId=first, **place)[1]


def test_the_key_s_own_policy_has_to_let_the_account_decide(account, allow, encrypted, key):
    administrator = account.client("kms")
    admitted = account.role(allow(OBJECTS))
    statement = allow("kms:Decrypt", Principal={"AWS": admitted})
    rest = allow("kms:PutKeyPolicy", Principal={"AWS": f"arn:aws:iam::{account.id}:root"})
    administrator.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(statement, rest))
    place = {"Bucket": encrypted, "Key": "there"}

    code, message = refused(account.client("s3").get_object, **place)

    assert code == "AccessDenied"
    assert message.endswith("because no resource-based policy allows the kms:Decrypt action")
    by_name = account.session("s3", admitted)
    assert by_name.get_object(**place)["Body"].read() == b"x"


def test_a_key_of_another_account_has_to_name_it(account, other_account, allow, key):
    s3 = other_account.acting("s3", allow([*OBJECTS, "kms:*"]))
    new = {"Bucket": other_account.bucket(), "Key": "new", "Body": b"y"}
    chosen = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}

    assert "no resource-based policy allows" in refused(s3.put_object, **chosen, **new)[1]
    kms = account.client("kms")
    own = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Statement"]
    others = allow("kms:GenerateDataKey", Principal={"AWS": f"arn:aws:iam::{other_account.id}:root"})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(*own, others))

    s3.put_object(**chosen, **new)


def test_conditions_on_the_service_hold(account, allow, encrypted, key):
    through = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    reads = account.acting("s3", allow(OBJECTS), allow("kms:Decrypt", key, Condition=through))
    elsewhere = {"StringEquals": {"kms:ViaService": "sqs.eu-west-1.amazonaws.com"}}
    not_here = account.acting("s3", allow(OBJECTS), allow("kms:Decrypt", key, Condition=elsewhere))
    place = {"Bucket": encrypted, "Key": "there"}

    assert reads.get_object(**place)["Body"].read() == b"x"
    assert "kms:Decrypt" in refused(not_here.get_object, **place)[1]


@pytest.mark.parametrize("state", ["disabled", "pending deletion", "elsewhere", "unknown"])
def test_a_key_that_cannot_be_used_is_refused(account, local_aws, state):
    s3, new = account.client("s3"), {"Bucket": account.bucket(), "Key": "new", "Body": b"y"}
    kms = account.client("kms")
    made = kms.create_key()["KeyMetadata"]
    name = made["Arn"]
    if state == "disabled":
        kms.disable_key(KeyId=made["KeyId"])
    elif state == "pending deletion":
        kms.schedule_key_deletion(KeyId=made["KeyId"])
    elif state == "elsewhere":
        name = name.replace("eu-west-1", "us-east-1")
    else:
        name = "00000000-0000-0000-0000-000000000000"

    code, message = refused(s3.put_object, ServerSideEncryption="aws:kms", SSEKMSKeyId=name, **new)

    assert (code, message) == {
        "disabled": ("KMS.DisabledException", f"{name} is disabled."),
        "pending deletion": ("KMS.KMSInvalidStateException", f"{name} is pending deletion."),
        "elsewhere": ("KMS.NotFoundException", "Invalid arn us-east-1"),
        "unknown": ("KMS.NotFoundException", f"Key '{name}' does not exist"),
    }[state]


def test_a_key_by_its_alias_is_that_key_and_one_of_aws_s_own_is_everybody_s(account, allow, key):
    alias = f"alias/{account.name('key')}"
    account.client("kms").create_alias(AliasName=alias, TargetKeyId=key)
    somebody = account.acting("s3", allow(OBJECTS), allow("kms:GenerateDataKey", key))
    new = {"Bucket": account.bucket(), "Key": "new", "Body": b"y", "ServerSideEncryption": "aws:kms"}

    somebody.put_object(SSEKMSKeyId=alias, **new)
    account.acting("s3", allow(OBJECTS)).put_object(**new)
    kms = account.acting("kms", allow("kms:DescribeKey", key))
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["Arn"] == key


def test_code_that_lambda_reads_in_somebody_s_name_takes_his_right_on_the_key(account, allow, encrypted, key):
    role = account.role()
    given = {"FunctionName": account.name("function"), "Role": role, "Handler": "index.handler"}
    code = {"Runtime": "python3.13", "Code": {"S3Bucket": encrypted, "S3Key": "there"}}
    creates = account.acting("lambda", allow(["lambda:*", "iam:PassRole", "s3:GetObject"]))

    assert f"kms:Decrypt on resource: {key}" in refused(creates.create_function, **given, **code)[1]


def test_messages_of_an_encrypted_queue_take_rights_to_send_and_to_receive(account, allow, key):
    sqs = account.client("sqs")
    url = sqs.create_queue(QueueName="encrypted", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    using = allow(["sqs:SendMessage", "sqs:ReceiveMessage"])
    bare, message = account.acting("sqs", using), {"QueueUrl": url, "MessageBody": "x"}
    half = account.acting("sqs", using, allow("kms:GenerateDataKey", key))
    reads = account.acting("sqs", using, allow("kms:Decrypt", key))
    both = account.acting("sqs", using, allow(["kms:GenerateDataKey", "kms:Decrypt"], key))

    assert f"kms:GenerateDataKey on resource: {key}" in refused(bare.send_message, **message)[1]
    assert f"kms:Decrypt on resource: {key}" in refused(half.send_message, **message)[1]
    both.send_message(**message)
    assert "kms:Decrypt" in refused(half.receive_message, QueueUrl=url)[1]
    assert [m["Body"] for m in reads.receive_message(QueueUrl=url)["Messages"]] == ["x"]

    account.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    assert refused(both.send_message, **message)[0] == "KmsDisabled"
    listing = account.acting("sqs", allow("sqs:ListQueues"))
    assert url in listing.list_queues()["QueueUrls"], "a request that names no queue takes no right on a key"


def test_a_log_group_takes_a_key_that_lets_the_service_use_it(account, allow, key):
    logs, kms = account.client("logs"), account.client("kms")
    group = {"logGroupName": "/aws/lambda/encrypted"}

    def described() -> dict:
        (found,) = logs.describe_log_groups(logGroupNamePrefix=group["logGroupName"])["logGroups"]
        return found

    code, message = refused(logs.create_log_group, kmsKeyId=key, **group)
    assert code == "InvalidParameterException"
    assert "log-group:/aws/lambda/encrypted" in message

    own = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Statement"]
    uses = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    place = f"arn:aws:logs:eu-west-1:{account.id}:log-group:/aws/lambda/encrypted"
    condition = {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": place}}
    service = {"Service": "logs.eu-west-1.amazonaws.com"}
    allowed = allow(uses, Principal=service, Condition=condition)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy(*own, allowed))

    logs.create_log_group(kmsKeyId=key, **group)
    assert described()["kmsKeyId"] == key
    logs.disassociate_kms_key(**group)
    assert "kmsKeyId" not in described()
    logs.associate_kms_key(kmsKeyId=key, **group)
    assert described()["kmsKeyId"] == key
    logs.create_log_group(logGroupName="/another")
    assert refused(logs.associate_kms_key, logGroupName="/another", kmsKeyId=key)[0] == code
    assert (
        refused(logs.associate_kms_key, logGroupName="/none", kmsKeyId=key)[0] == "ResourceNotFoundException"
    )
