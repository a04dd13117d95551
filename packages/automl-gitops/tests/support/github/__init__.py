"""A stand-in for GitHub's REST API on the loopback address: see `server.GitHub`."""

from support.github import git_routes, issue_routes, pull_routes, setting_routes, workflow_routes
from support.github.server import GitHub

__all__ = ["GitHub", "git_routes", "issue_routes", "pull_routes", "setting_routes", "workflow_routes"]
