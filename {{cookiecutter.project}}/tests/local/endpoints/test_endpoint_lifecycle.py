from __future__ import annotations

import pytest
from botocore.exceptions import ClientError


def test_an_endpoint_comes_into_service_answers_and_goes(hosting):
    config = hosting.config(hosting.model(ANSWER="first"), instances=2)

    endpoint = hosting.endpoint(config)
    described = hosting.settled(endpoint)

    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == config
    variant = described["ProductionVariants"][0]
    assert (variant["VariantName"], variant["CurrentInstanceCount"], variant["CurrentWeight"]) == ("AllTraffic", 2, 1)
    assert variant["DeployedImages"][0]["SpecifiedImage"].endswith("/model:1")
    answer = hosting.runtime.invoke_endpoint(EndpointName=endpoint, Body=b"a,b", ContentType="text/csv", Accept="text/csv")
    assert answer["Body"].read() == b"first:a,b"
    assert answer["ContentType"] == "text/csv"
    assert answer["InvokedProductionVariant"] == "AllTraffic"

    hosting.sagemaker.delete_endpoint(EndpointName=endpoint)
    with pytest.raises(ClientError, match=f"Could not find endpoint .*{endpoint}"):
        hosting.until(endpoint, lambda _: False)
    with pytest.raises(hosting.runtime.exceptions.ClientError, match=f"Endpoint {endpoint} of account 123456789012 not found"):
        hosting.ask(endpoint)
