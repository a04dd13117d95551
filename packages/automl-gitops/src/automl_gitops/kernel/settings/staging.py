"""[staging]: the endpoint on which a version is verified."""

from automl_gitops.kernel.settings.hosting import Hosting


class Staging(Hosting):
    """Where the staging endpoint runs, and whether it stays after the verification (`keep`)."""

    keep: bool = True
