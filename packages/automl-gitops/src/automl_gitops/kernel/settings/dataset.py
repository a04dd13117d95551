"""[dataset]: what is predicted, and which rows are trained on, validated on and held out."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator, model_validator

from automl_gitops.kernel import service
from automl_gitops.kernel.settings import SettingsSection

VALIDATION = 0.2  # of what is not held out: Autopilot's own default (API reference, ValidationFraction)
_UNITS = ("second", "minute", "hour", "day", "week")
_GAP = re.compile(rf"(\d{{1,6}}) ({'|'.join(_UNITS)})s?")
# Without a star or a slash: the names become resources of the roles' policies.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_MOST_BUCKETS = 10  # a policy's length is limited


def _names(value: object) -> object:
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and not value:
        raise ValueError("is empty: name a column, or remove the key")
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise ValueError('is neither a column\'s name nor a list of such, such as ["hospital", "patient"]')
    if len(set(value)) < len(value):
        raise ValueError("names a column twice")
    return value


Names = Annotated[list[str], BeforeValidator(_names)]


class DatasetSettings(SettingsSection):
    """Target column, share of rows that the model never sees, seed of the split, and the buckets beside the
    project's own from which the pipeline may read data to train on.

    Rows are split at random, in the classes' shares, unless a rule says otherwise. With `group` all rows that have the
    same values in these columns are on one side. With `time` the latest rows are held out; those within `gap` before
    them are left out. `split` is a column that says `train`, `validation` or `test`. The columns that these keys name
    are no features, unless `also_features` names them too.

    The columns of `exclude` are no features either, nor is `weight`: the greater its number, the more a row counts in
    the training.
    """

    target: str = Field(min_length=1)
    holdout: float = Field(default=0.2, gt=0, lt=1)
    seed: int = Field(default=42, ge=0, le=2**32 - 1)
    group: Names | None = None
    time: str | None = Field(default=None, min_length=1)
    gap: str | None = None
    split: str | None = Field(default=None, min_length=1)
    also_features: Names | None = None
    exclude: list[str] = Field(default_factory=list)
    weight: str | None = None
    buckets: list[str] = Field(default_factory=list)

    @field_validator("gap")
    @classmethod
    def _duration(cls, value: str) -> str:
        if not _GAP.fullmatch(value):
            raise ValueError(
                f'is no number and unit ({", ".join(f"{unit}s" for unit in _UNITS)}), such as "7 days"'
            )
        return value

    @field_validator("weight")
    @classmethod
    def _weight(cls, value: str) -> str:
        if not service.matches("SampleWeightAttributeName", value):
            raise ValueError(
                "is no name that Autopilot takes for a column of weights: rename it with letters, digits, _ and - alone"
            )
        return value

    @model_validator(mode="after")
    def _one_rule(self) -> "DatasetSettings":
        if self.split and (self.group or self.time):
            other = "group" if self.group else "time"
            raise ValueError(
                f"has both split and {other}: split already says where each row belongs; remove one of the two"
            )
        if self.gap and not self.time:
            raise ValueError(
                "has gap without time: a gap lies before the latest rows; name the column of times, or remove it"
            )
        if self.target in self.rule_columns:
            raise ValueError(
                f'splits by the target "{self.target}": name another column in group, time or split'
            )
        if self.time in (self.group or ()) and self.group != [self.time]:
            raise ValueError(
                f'names "{self.time}" in both group and time: name it in group alone, or not at all'
            )
        for name in self.also_features or ():
            if name not in self.rule_columns:
                raise ValueError(
                    f'also_features names "{name}", which is a feature anyway: name columns of group, time or split'
                )
        return self

    @model_validator(mode="after")
    def _roles_of_columns(self) -> "DatasetSettings":
        if len(set(self.exclude)) < len(self.exclude):
            raise ValueError("exclude names a column twice")
        for key, names in (("exclude", self.exclude), ("weight", [self.weight])):
            if self.target in names:
                raise ValueError(f'{key} names the target "{self.target}": name another column')
            for name in names:
                if name in self.rule_columns:
                    raise ValueError(f'{key} names "{name}", by which rows are split: remove it there')
        if self.weight in self.exclude:
            raise ValueError(
                f'exclude names "{self.weight}", which is the weight and no feature anyway: remove it'
            )
        return self

    @property
    def rule_columns(self) -> list[str]:
        """The columns that decide where a row belongs; none where rows are split at random."""
        names = [*(self.group or ()), *(name for name in (self.time, self.split) if name)]
        return [*dict.fromkeys(names)]

    @property
    def only_split(self) -> list[str]:
        """Those of them that are no features."""
        return [name for name in self.rule_columns if name not in (self.also_features or ())]

    @property
    def not_trained_on(self) -> list[str]:
        """The columns that are not in the data to train on."""
        return [*self.only_split, *self.exclude]

    @property
    def no_features(self) -> list[str]:
        """The columns that the model does not get: these, and the weight."""
        return [*self.not_trained_on, *([self.weight] if self.weight else [])]

    @property
    def least_gap(self) -> timedelta:
        """The time before the holdout, and before the validation rows, that is left out."""
        match = _GAP.fullmatch(self.gap) if self.gap else None
        return timedelta(**{f"{match[2]}s": int(match[1])}) if match else timedelta()

    @property
    def rule(self) -> dict[str, str | list[str]]:
        """The keys that are set of those that make the rule; empty where rows are split at random."""
        values = {
            "group": self.group,
            "time": self.time,
            "gap": self.gap,
            "split": self.split,
            "also_features": self.also_features,
        }
        return {key: value for key, value in values.items() if value is not None} if self.rule_columns else {}

    @field_validator("buckets")
    @classmethod
    def _buckets(cls, value: list[str]) -> list[str]:
        if len(value) > _MOST_BUCKETS:
            raise ValueError(
                f"has {len(value)} entries, more than the {_MOST_BUCKETS} that a role's policy takes"
            )
        for name in value:
            if not _BUCKET.fullmatch(name):
                raise ValueError(f'has "{name}", which is no name of an S3 bucket, such as my-data-lake')
        if len(set(value)) != len(value):
            raise ValueError("names one twice")
        return value
