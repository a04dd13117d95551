"""SageMaker's own images, by region."""

from typing import Any

from automl_gitops.kernel.errors import UserError


def evaluation_image(version: str, region: str, session: Any = None) -> str:
    """The address of the scikit-learn image; ``session`` is the SDK's, where there is one.

    Raises `UserError` for a version that the region does not have.
    """
    from sagemaker.core import image_uris

    try:
        return image_uris.retrieve("sklearn", region, version=version, sagemaker_session=session)
    except ValueError as error:
        known = " ".join(str(error).split())
        raise UserError(
            f'automl.toml: [evaluation] container_version = "{version}" is no image in {region}: {known}',
            file="automl.toml",
        ) from None
