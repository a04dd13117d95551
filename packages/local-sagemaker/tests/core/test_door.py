"""What a web page in the developer's browser, or a client that stalls, can do to the local AWS: nothing."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlencode, urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from local_sagemaker import tokens

SITE = "https://evil.example"


@pytest.fixture
def send(local_aws):
    """Send a request as it stands; returns status, headers in lower case and text of the answer."""
    port = urlsplit(local_aws.url).port

    def sent(method="GET", path="/", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True)
            for name, value in ({"Host": f"127.0.0.1:{port}"} | headers).items():
                if value is not None:
                    connection.putheader(name.replace("_", "-"), value.replace("PORT", str(port)))
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    return sent


def presigned(account, operation, **parameters):
    """The path of a presigned URL of the account's administrator."""
    given = account.aws.administrator(account.id)
    s3 = boto3.client(
        "s3",
        endpoint_url=account.aws.url,
        region_name=account.aws.region,
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        config=Config(signature_version="s3v4"),
    )
    return s3.generate_presigned_url(operation, Params=parameters).removeprefix(account.aws.url)


@pytest.fixture
def url(account):
    """The path of a presigned URL of training data in a bucket whose own rules let every page read."""
    s3, bucket = account.client("s3"), account.bucket(data="the training data")
    rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    return presigned(account, "get_object", Bucket=bucket, Key="data")


@pytest.fixture
def sign_in(account):
    """The body of a request that becomes a role with a token that is in order."""
    issuer = tokens.GITHUB.removeprefix("https://")
    iam = account.client("iam")
    if not iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]:
        iam.create_open_id_connect_provider(Url=tokens.GITHUB, ClientIDList=["sts.amazonaws.com"])
    trust = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{account.id}:oidc-provider/{issuer}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:sub": "repo:owner/name"}},
    }
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": account.role(trust=trust),
        "RoleSessionName": "page",
        "WebIdentityToken": account.aws.web_identity_token("repo:owner/name"),
    }
    return urlencode(form).encode()


FORM = "application/x-www-form-urlencoded"


def test_what_a_program_may_do(send, url, sign_in):
    assert send("GET", url)[::2] == (200, "the training data")
    assert send("POST", "/", sign_in, Content_Type=FORM)[0] == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": SITE},
        {"Origin": "null"},  # of a sandboxed frame, or a file
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:PORT"},  # a page that lies in the local AWS itself
        {"Sec_Fetch_Site": "cross-site"},  # an image or a script, which has no Origin
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "same-origin"},
    ],
)
def test_a_web_page_is_refused_whatever_it_brings(send, url, sign_in, headers):
    (name, value), *_ = headers.items()
    read = send("GET", url, **headers)
    signed_in = send("POST", "/", sign_in, Content_Type=FORM, **headers)

    for status, answered, text in (read, signed_in):
        assert status == 403
        assert "the local AWS answers no web page" in text
        assert f"{name.replace('_', '-')}: {value.partition('PORT')[0]}" in text
        assert "the training data" not in text
        assert "AccessKeyId" not in text
        assert not [header for header in answered if header.startswith("access-control-")]


def test_an_address_that_somebody_typed_is_answered(send, url):
    assert send("GET", url, Sec_Fetch_Site="none")[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:PORT",  # DNS rebinding: the name means 127.0.0.1 by now, and for the browser it is one site
        "evil.example",
        "localhost.evil.example:PORT",
        "127.0.0.1.evil.example:PORT",
        "evilamazonaws.com:PORT",
        "sts.amazonaws.com.evil.example:PORT",
        "0.0.0.0:PORT",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:PORT, evil.example",
        "user@127.0.0.1:PORT",
        "",
        None,
    ],
)
def test_another_name_than_its_own_is_refused(send, url, sign_in, host):
    for status, answered, text in (
        send("GET", url, Host=host),
        send("POST", "/", sign_in, Content_Type=FORM, Host=host),
    ):
        assert status == 403
        assert "set AWS_ENDPOINT_URL to http://127.0.0.1:" in text
        assert not [header for header in answered if header.startswith("access-control-")]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:PORT",
        "localhost:PORT",
        "LocalHost:PORT",
        "[::1]:PORT",
        "sts.eu-west-1.amazonaws.com",
        "sts.cn-north-1.amazonaws.com.cn:PORT",
    ],
)
def test_its_own_names_and_those_of_aws_are_answered(send, sign_in, host):
    assert send("POST", "/", sign_in, Content_Type=FORM, Host=host)[0] == 200


def test_a_client_can_say_localhost(local_aws):
    given = local_aws.environment
    sts = boto3.client(
        "sts",
        endpoint_url=local_aws.url.replace("127.0.0.1", "localhost"),
        region_name=local_aws.region,
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
    )

    assert sts.get_caller_identity()["Account"] == local_aws.account


@pytest.mark.parametrize("headers", [{"Origin": SITE}, {}])
def test_no_preflight_is_granted(send, url, headers):
    status, answered, _ = send("OPTIONS", url, Access_Control_Request_Method="PUT", **headers)

    assert status == 403
    assert not [name for name in answered if name.startswith("access-control-")]


def test_no_answer_tells_a_browser_who_may_read_it(send, url, sign_in, local_aws):
    answers = [send("GET", url), send("POST", "/", sign_in, Content_Type=FORM), send("GET", "/")]

    assert [status for status, _, _ in answers] == [200, 200, 403]
    assert not [name for _, answered, _ in answers for name in answered if name.startswith("access-control-")]
    answer = local_aws.client("s3").list_buckets()["ResponseMetadata"]
    assert not [name for name in answer["HTTPHeaders"] if name.startswith("access-control-")]


def test_a_client_with_another_host_reads_the_sentence_as_its_services_error(local_aws):
    given, port = local_aws.environment, urlsplit(local_aws.url).port
    codes = {}
    for service, operation in (
        ("sagemaker", "list_models"),
        ("sts", "get_caller_identity"),
        ("s3", "list_buckets"),
    ):
        client = boto3.client(
            service,
            endpoint_url=local_aws.url,
            region_name=local_aws.region,
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        )
        client.meta.events.register(
            "before-sign.*.*", lambda request, **_: request.headers.add_header("Host", f"box:{port}")
        )
        with pytest.raises(client.exceptions.ClientError) as caught:
            getattr(client, operation)()
        error = caught.value.response["Error"]
        codes[service] = error["Code"]
        assert error["Message"].startswith(
            f"the local AWS is 127.0.0.1:{port}, and this request's Host is box:{port};"
        )

    assert codes == dict.fromkeys(("sagemaker", "sts", "s3"), "AccessDenied")


# --- A body that never comes ------------------------------------------------------------------------------------------


def stalled(local_aws, method, path, *headers):
    """A connection whose request says that 100 bytes follow, which do not."""
    port = urlsplit(local_aws.url).port
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    lines = (f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Length: 100", *headers)
    connection.sendall("".join(f"{line}\r\n" for line in (*lines, "")).encode())
    return connection


def signed(account, method, path):
    """The headers that sign a request with a body of 100 letters."""
    given = account.aws.environment
    request = AWSRequest(method, account.aws.url + path, data=b"x" * 100)
    keys = Credentials(given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"])
    S3SigV4Auth(keys, "s3", account.aws.region).add_auth(request)
    return [f"{name}: {value}" for name, value in request.headers.items()]


@pytest.mark.parametrize("kind", ["unsigned", "presigned", "upload", "list to delete"])
def test_a_body_that_never_comes_keeps_nobody_waiting(local_aws, account, kind):
    form = f"Content-Type: {FORM}"
    s3, bucket = account.client("s3"), account.bucket()
    if kind == "unsigned":
        path, method, headers = "/", "POST", [form]
    elif kind == "presigned":
        path, method, headers = presigned(account, "put_object", Bucket=bucket, Key="k"), "PUT", [form]
    else:
        method, path = ("PUT", f"/{bucket}/k") if kind == "upload" else ("POST", f"/{bucket}?delete=")
        headers = signed(account, method, path)

    connections = [stalled(local_aws, method, path, *headers) for _ in range(3)]
    try:
        assert account.client("sts").get_caller_identity()["Account"] == account.id
        assert account.client("sagemaker").list_models()["Models"] is not None
        assert account.client("sagemaker").list_pipelines()["PipelineSummaries"] is not None
        assert bucket in {one["Name"] for one in s3.list_buckets()["Buckets"]}
    finally:
        for connection in connections:
            connection.close()


def test_a_web_page_is_refused_before_its_body_is_there(local_aws):
    connection = stalled(local_aws, "POST", "/", f"Origin: {SITE}", f"Content-Type: {FORM}")
    with connection:
        assert connection.recv(12) == b"HTTP/1.1 403"
