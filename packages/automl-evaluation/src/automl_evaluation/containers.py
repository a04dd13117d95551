"""Which outputs an Autopilot model is asked for, set in its containers' environment.

Amazon SageMaker Developer Guide, "Configure inference output in generated containers": a model of ensembling
mode is one container; a classifier of hyperparameter tuning mode is three, of which the second predicts and
the third turns its answers into labels. Without a request a classifier answers `predicted_label` alone.
"""

from typing import Any

from automl_evaluation.metrics import MOST_CLASSES_WITH_PROBABILITIES

OUTPUT, INPUT, SUPPORTED = (f"SAGEMAKER_INFERENCE_{name}" for name in ("OUTPUT", "INPUT", "SUPPORTED"))
LABEL, PROBABILITY, PROBABILITIES, LABELS = "predicted_label", "probability", "probabilities", "labels"

Container = dict[str, Any]


def with_outputs(
    containers: list[Container], classification: bool, classes: int | None
) -> tuple[list[Container], list[str]]:
    """Containers that answer what the evaluation reads, and these outputs in their order.

    ``classes`` is the number of classes where it is known. `probabilities` go with the `labels` that say
    their order; where the model cannot give both, `probability` is taken (of which `positive_probability`
    tells the meaning).
    """
    chosen = [_kept(container) for container in containers]
    if not classification:
        return chosen, ["prediction"]
    ends = (0,) if len(chosen) == 1 else (1, 2)
    if max(ends) >= len(chosen):
        return chosen, [LABEL]
    supported = [_list(chosen[end]["Environment"].get(SUPPORTED, LABEL)) for end in ends]
    outputs = _outputs(supported, classes)
    if len(ends) == 1:
        chosen[0]["Environment"][OUTPUT] = ",".join(outputs)
    else:
        # The predicting container knows classes as numbers: it is never asked for labels.
        inner = ",".join(output for output in outputs if output != LABELS)
        chosen[1]["Environment"][OUTPUT] = inner
        chosen[2]["Environment"] |= {INPUT: inner, OUTPUT: ",".join(outputs)}
    return chosen, outputs


def probability_is_of_positive(containers: list[Container]) -> bool:
    """Whether `probability` is the positive class's (tuning mode) or the predicted one's (ensembling)."""
    return len(containers) > 1


def _kept(container: Container) -> Container:
    """What a model, and later the registry, needs of a container."""
    kept = {name: container[name] for name in ("Image", "ModelDataUrl") if name in container}
    return kept | {"Environment": dict(container.get("Environment") or {})}


def _outputs(supported: list[list[str]], classes: int | None) -> list[str]:
    """The outputs to ask for, given what the predicting and the answering container support."""

    def possible(output: str) -> bool:
        asked = supported[-1:] if output == LABELS else supported
        return all(output in outputs for outputs in asked)

    if classes is not None and classes > MOST_CLASSES_WITH_PROBABILITIES:
        return [LABEL]
    if possible(PROBABILITIES) and possible(LABELS):
        return [LABEL, PROBABILITIES, LABELS]
    return [LABEL, PROBABILITY] if possible(PROBABILITY) else [LABEL]


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]
