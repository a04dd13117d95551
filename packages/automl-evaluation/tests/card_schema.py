"""The "Model package model card schema" of the Amazon SageMaker Developer Guide, as JSON Schema."""

from typing import Any


def text(length: int) -> dict[str, Any]:
    return {"type": "string", "maxLength": length}


def named(length: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": length}


def closed(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": list(required),
    }


def several(items: dict[str, Any], most: int | None = None, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least} | ({"maxItems": most} if most else {})


def metric(
    kind: list[str], value: dict[str, Any], x_axis: dict[str, Any], y_axis: dict[str, Any]
) -> dict[str, Any]:
    properties = {
        "name": named(255),
        "notes": text(1024),
        "type": {"enum": kind},
        "value": value,
        "x_axis_name": x_axis,
        "y_axis_name": y_axis,
    }
    return closed(properties, "name", "type", "value")


NUMBER = {"type": "number"}
AXIS, AXES = text(63), several(text(63))
METRICS = {
    "anyOf": [
        metric(
            ["number", "string", "boolean"], {"anyOf": [NUMBER, text(63), {"type": "boolean"}]}, AXIS, AXIS
        ),
        metric(["linear_graph"], several(several(NUMBER, 2, 2), least=1), AXIS, AXIS),
        metric(["bar_chart"], several(NUMBER, least=1), AXES, AXIS),
        metric(["matrix"], several(several(NUMBER, 20, 1), 20, 1), AXES, AXES),
    ]
}
TRAINING_METRICS = several(
    closed({"name": named(255), "notes": text(1024), "value": NUMBER}, "name", "value"), 50
)
PARAMETERS = several(closed({"name": named(255), "value": named(255)}, "name", "value"), 100)
FUNCTION = closed({"function": {"enum": ["Maximize", "Minimize"]}, "facet": text(63), "condition": text(63)})

MODEL_CARD = closed(
    {
        "model_overview": closed({"model_creator": text(1024), "model_artifact": several(text(1024), 15)}),
        "intended_uses": closed(
            {
                "purpose_of_model": text(2048),
                "intended_uses": text(2048),
                "factors_affecting_model_efficiency": text(2048),
                "risk_rating": {"enum": ["High", "Medium", "Low", "Unknown"]},
                "explanations_for_risk_rating": text(2048),
            }
        ),
        "business_details": closed(
            {
                "business_problem": text(2048),
                "business_stakeholders": text(2048),
                "line_of_business": text(2048),
            }
        ),
        "training_details": closed(
            {
                "objective_function": closed({"function": FUNCTION, "notes": text(1024)}),
                "training_observations": text(1024),
                "training_job_details": closed(
                    {
                        "training_arn": text(1024),
                        "training_datasets": several(text(1024), 15),
                        "training_environment": closed({"container_image": several(text(1024), 15)}),
                        "training_metrics": TRAINING_METRICS,
                        "user_provided_training_metrics": TRAINING_METRICS,
                        "hyper_parameters": PARAMETERS,
                        "user_provided_hyper_parameters": PARAMETERS,
                    }
                ),
            }
        ),
        "evaluation_details": several(
            closed(
                {
                    "name": named(63),
                    "evaluation_observation": text(2096),
                    "evaluation_job_arn": text(256),
                    "datasets": several(text(1024), 10),
                    "metadata": {"type": "object", "additionalProperties": text(1024)},
                    "metric_groups": several(
                        closed({"name": named(63), "metric_data": several(METRICS)}, "name", "metric_data")
                    ),
                },
                "name",
            )
        ),
        "additional_information": closed(
            {
                "ethical_considerations": text(2048),
                "caveats_and_recommendations": text(2048),
                "custom_details": {"type": "object", "additionalProperties": text(1024)},
            }
        ),
    }
)
