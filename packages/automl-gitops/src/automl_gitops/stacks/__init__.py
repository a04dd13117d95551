"""CloudFormation: what an administrator creates, what the workflow deploys, and the removal of all of it."""
