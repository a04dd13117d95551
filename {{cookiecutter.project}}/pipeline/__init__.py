"""The SageMaker pipeline: `definition.py` is its story, `evaluate_model.py` the one step that is long."""
