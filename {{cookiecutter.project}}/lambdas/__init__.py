"""What runs in AWS Lambda: each file is one function and imports nothing but boto3 and the standard library."""
