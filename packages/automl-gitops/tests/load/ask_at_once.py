"""`ask_at_once.py ENDPOINT CLIENTS`: so many threads invoke an endpoint at the same moment, on a connection each.

Prints as JSON how many were answered, and the seconds that half of them, and all, waited.
"""

import json
import sys
import threading
import time

import boto3
from botocore.config import Config

ROW = b"45,0.5\n"


def main() -> None:
    """Ask, and print."""
    endpoint, clients = sys.argv[1], int(sys.argv[2])
    config = Config(max_pool_connections=clients, retries={"total_max_attempts": 1}, read_timeout=600)
    runtime = boto3.client("sagemaker-runtime", config=config)
    together = threading.Barrier(clients)
    waited: list[float] = []
    refused: list[str] = []

    def ask() -> None:
        together.wait()
        began = time.monotonic()
        try:
            runtime.invoke_endpoint(
                EndpointName=endpoint, Body=ROW, ContentType="text/csv", Accept="text/csv"
            )
            waited.append(time.monotonic() - began)
        except Exception as error:  # whatever it is, it is counted
            refused.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    waited.sort()
    print(
        json.dumps(
            {
                "clients": clients,
                "answered": len(waited),
                "refused": sorted(set(refused))[:3],
                "half": waited[len(waited) // 2] if waited else None,
                "all": waited[-1] if waited else None,
            }
        )
    )


if __name__ == "__main__":
    main()
