"""What the server process of the workers imports ahead of time: whoever asks for a worker waits for it only once.

Nothing of moto's is among it, which is the server's alone and takes half a second.
"""

from __future__ import annotations

import gc
import importlib

from local_sagemaker import clients

MODULES = (
    "autogluon.tabular.models.lgb.callbacks",
    "networkx",
    "pyarrow",
    "sklearn.ensemble",
    # What the workers run, each with modules of its own.
    "local_sagemaker.sagemaker.autopilot.process",
    "local_sagemaker.serving.archive",
    "local_sagemaker.serving.containers",
    "local_sagemaker.serving.worker",
)
NOBODY = {
    "AWS_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1",
    "AWS_ACCESS_KEY_ID": "-",
    "AWS_SECRET_ACCESS_KEY": "-",
}

# Of what is imported nothing becomes garbage, and looking for some takes a tenth of the time.
gc.disable()
try:
    for _name in MODULES:
        importlib.import_module(_name)
    clients.client("s3", NOBODY)  # reads the model of the service, which the next client then has
    gc.freeze()
finally:
    gc.enable()
