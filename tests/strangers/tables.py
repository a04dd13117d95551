"""Six tables that are not ours, each of another kind; all from data that come with installed packages.

The same on every machine and in every run: samples and noise are drawn with fixed seeds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits, make_classification

SEED = 20


@dataclass(frozen=True)
class Stranger:
    """A table and what its owner would answer and write.

    ``sentence``, ``target``, ``problem_type`` and ``objective`` answer the template's questions; ``slices`` and
    ``bands`` are what automl.toml gets; ``fits`` are the problem types that the table can be trained for.
    """

    name: str
    sentence: str
    target: str
    problem_type: str
    objective: str
    make: Callable[[], pd.DataFrame]
    fits: tuple[str, ...]
    slices: tuple[str, ...] = ()
    bands: dict[str, list[float]] = field(default_factory=dict)

    def write(self, folder: Path, **written: str) -> Path:
        """Write the table as a CSV file into ``folder``, ``written`` as pandas is told; returns its path."""
        path = folder / f"{self.name}.csv"
        self.make().to_csv(path, index=False, **written)
        return path


def houses() -> pd.DataFrame:
    """Homes sold in Texas by city and month, with text, dates and gaps: whether the median price is high."""
    from plotnine.data import txhousing

    sold = txhousing.dropna(subset=["median"]).reset_index(drop=True)
    days = pd.to_datetime({"year": sold["year"], "month": sold["month"], "day": 1})
    listed = sold["listings"].map(lambda count: "" if pd.isna(count) else f", {count:.0f} on offer")
    stock = sold["inventory"].map(
        lambda months: "no inventory told" if pd.isna(months) else f"{months} months of it left"
    )
    return pd.DataFrame(
        {
            "city": sold["city"],
            "month": days.dt.strftime("%Y-%m-%d"),
            "note": sold["sales"].map("{:.0f} homes sold".format) + listed + ': "' + stock + '"',
            "sales": sold["sales"],
            "listings": sold["listings"],
            "inventory": sold["inventory"],
            "expensive": np.where(sold["median"] > 150_000, "yes", "no"),
        }
    )


def digits() -> pd.DataFrame:
    """Handwritten digits as 64 shades of grey: ten classes."""
    found = load_digits(as_frame=True)
    return found.data.astype(int).assign(digit=found.target)


def diamonds() -> pd.DataFrame:
    """Prices of 53,940 diamonds, whose cut, color and clarity are levels with an order, as text."""
    from plotnine.data import diamonds as found

    return found.astype({"cut": str, "color": str, "clarity": str})


def wide() -> pd.DataFrame:
    """400 columns, of which twelve matter, and three stages that follow from them."""
    values, stages = make_classification(
        n_samples=1500,
        n_features=400,
        n_informative=8,
        n_redundant=4,
        n_classes=3,
        n_clusters_per_class=1,
        class_sep=1.5,
        random_state=SEED,
    )
    frame = pd.DataFrame(values.round(4), columns=[f"gene_{number:03}" for number in range(values.shape[1])])
    return frame.assign(progression=np.asarray(["mild", "moderate", "severe"])[stages])


def flaws() -> pd.DataFrame:
    """Which of 20,000 diamonds are of the lowest clarity: one in a hundred; their colors are columns of 0 and 1."""
    found = diamonds()
    flawed = found["clarity"] == "I1"
    rows = pd.concat(
        [found[flawed].sample(200, random_state=SEED), found[~flawed].sample(19_800, random_state=SEED)]
    ).sample(frac=1, random_state=SEED)
    colors = pd.get_dummies(rows.pop("color"), prefix="color", dtype=int)
    flawed = (rows.pop("clarity") == "I1").astype(int)
    return pd.concat([rows, colors], axis=1).assign(flawed=flawed)


def penguins() -> pd.DataFrame:
    """The Palmer penguins as their finders wrote them down, three of each with a little noise, in difficult words."""
    from palmerpenguins import load_penguins_raw

    found = load_penguins_raw()
    random = np.random.default_rng(SEED)
    rows = pd.concat([found] * 3, ignore_index=True)

    def measured(name: str) -> pd.Series:
        spread = rows[name].std() / 4
        return (rows[name] + random.normal(0, spread, len(rows))).round(1)

    species = rows["Species"].str.split().str[0]
    return pd.DataFrame(
        {
            "Bill 🐦, length (mm)": measured("Culmen Length (mm)"),
            'depth of the "culmen"': measured("Culmen Depth (mm)"),
            " Flügel mm ": measured("Flipper Length (mm)"),
            "body mass; g": measured("Body Mass (g)"),
            "d'où ça vient 🏝️": rows["Island"].map(
                {"Torgersen": "Torgersen, the island", "Dream": 'the "Dream"'}
            ),
            "Date=Egg": rows["Date Egg"],
            "Comments": rows["Comments"],
            'Species, "as found" 🐧': species.map(
                {"Adelie": "Adélie 🐧", "Chinstrap": 'Chinstrap, "bearded"', "Gentoo": " it's a Gentoo"}
            ),
        }
    )


TABLES = {
    table.name: table
    for table in (
        Stranger(
            "houses",
            "Say where in Texas homes are expensive",
            "expensive",
            "binary",
            "AUC",
            houses,
            ("binary", "multiclass"),
        ),
        Stranger(
            "digits",
            "Read a handwritten digit",
            "digit",
            "multiclass",
            "Accuracy",
            digits,
            ("multiclass", "regression"),
        ),
        Stranger(
            "diamonds",
            "Estimate the price of a diamond",
            "price",
            "regression",
            "RMSE",
            diamonds,
            ("regression",),
            slices=("cut", "carat"),
            bands={"carat": [0.5, 1.0]},
        ),
        Stranger(
            "wide",
            "Stage a disease by 400 genes",
            "progression",
            "multiclass",
            "BalancedAccuracy",
            wide,
            ("multiclass",),
        ),
        Stranger(
            "flaws",
            "Find the flawed diamonds",
            "flawed",
            "binary",
            "F1",
            flaws,
            ("binary", "multiclass", "regression"),
            slices=("cut", "color_*", "carat"),
            bands={"carat": [0.5, 1.0]},
        ),
        Stranger(
            "penguins",
            'Tell 3 penguins 🐧 apart by "culmen" & flipper',
            'Species, "as found" 🐧',
            "multiclass",
            "F1macro",
            penguins,
            ("multiclass",),
            slices=("d'où ça vient 🏝️",),
        ),
    )
}
