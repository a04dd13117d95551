"""The pipeline in AWS: what it is made from, its executions, and what came of them."""
