"""What runs in AWS Lambda: each file is one function, and imports boto3 and the standard library alone."""
