"""Amazon SageMaker: what moto lacks of it."""
