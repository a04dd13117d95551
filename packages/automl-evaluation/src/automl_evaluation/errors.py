"""How the evaluation ends when it cannot judge the candidate."""


class EvaluationError(Exception):
    """The evaluation cannot go on; the message, one sentence, is shown as the step's failure."""


class PredictionError(EvaluationError):
    """A model gave no usable predictions. The candidate's end the evaluation; a champion's are reported."""
