"""Ask an endpoint by several clients at once: ENDPOINT BODY CLIENTS; prints how many requests a second were answered.

Each client has a connection of its own and sends one request, signed once, again and again: what an SDK spends on a
request is not the endpoint's.
"""

import http.client
import json
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

SECONDS = 4.0
ALONE_SECONDS = 1.5


def main() -> None:
    """Measure one client, then all of them."""
    name, file, clients = sys.argv[1:]
    client = boto3.client("sagemaker-runtime")
    session = boto3.Session()
    url = f"{client.meta.endpoint_url}/endpoints/{name}/invocations"
    body = Path(file).read_bytes()
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "text/csv"})
    SigV4Auth(session.get_credentials(), "sagemaker", client.meta.region_name).add_auth(request)
    headers = {**request.headers, "Content-Length": str(len(body))}
    address = urlsplit(url)
    answers: list[bytes] = []

    def ask(seconds: float, counts: list[int]) -> None:
        connection = http.client.HTTPConnection(address.hostname or "", address.port)
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            connection.request("POST", address.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 200:
                raise RuntimeError(content.decode())
            count += 1
        answers.append(content)
        counts.append(count)

    def measured(number: int, seconds: float) -> float:
        """Requests a second."""
        counts: list[int] = []
        begun = time.monotonic()
        threads = [threading.Thread(target=ask, args=(seconds, counts)) for _ in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if len(counts) != number:
            raise RuntimeError("a client failed")
        return sum(counts) / (time.monotonic() - begun)

    measured(1, 0.2)  # the first one is slower
    alone, together = measured(1, ALONE_SECONDS), measured(int(clients), SECONDS)
    if len(set(answers)) != 1:
        raise RuntimeError("the same request was answered in different ways")
    print(json.dumps({"requests_a_second": together, "alone_seconds": 1 / alone}))


if __name__ == "__main__":
    main()
