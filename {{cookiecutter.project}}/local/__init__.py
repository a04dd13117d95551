"""AWS on a laptop: moto's server on loopback, and what moto lacks.

The package belongs to the template: it imports nothing of the project and knows nothing of it. Whatever
talks to AWS through ``AWS_ENDPOINT_URL`` can use it.
"""
