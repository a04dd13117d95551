"""make_data.py FOLDER ROWS CLASSES: labels of a holdout of 2 or 3 classes and two models' answers, in four parts."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LABELS = {2: ["no", "yes"], 3: ["<30", ">30", "no"]}
SHARES = {2: [0.89, 0.11], 3: [0.11, 0.35, 0.54]}
PARTS = 4
CHUNK_ROWS = 500_000


def lines(column: pa.Array) -> bytes:
    """The texts of a column, each with a line break."""
    ended = pc.binary_join_element_wise(column, pa.scalar("\n"), pa.scalar(""))
    offsets = np.frombuffer(ended.buffers()[1], dtype=np.int32)
    return ended.buffers()[2][int(offsets[0]) : int(offsets[len(ended)])].to_pybytes()


def answers(generator: np.random.Generator, truth: np.ndarray, classes: int) -> tuple[pa.Array, pa.Array]:
    """Labels, and lines of label, probabilities and labels, of a model that knows a little."""
    scores = generator.normal(size=(classes, len(truth)))
    scores[truth, np.arange(len(truth))] += 0.8
    given = np.exp(scores)
    given /= given.sum(axis=0)
    chosen = pa.array(LABELS[classes]).take(pa.array(given.argmax(axis=0)))
    numbers = [pa.array(row).cast(pa.string()) for row in given]
    listed = pc.binary_join_element_wise(*numbers, pa.scalar(", "))
    listed = pc.binary_join_element_wise(pa.scalar('"['), listed, pa.scalar(']"'), pa.scalar(""))
    order = pa.scalar(f'"{LABELS[classes]}"')
    return chosen, pc.binary_join_element_wise(chosen, listed, order, pa.scalar(","))


def main(folder: Path, rows: int, classes: int) -> None:
    """Write the parts."""
    generator = np.random.default_rng(0)
    kinds = (
        "y_test",
        "labels/candidate",
        "labels/champion",
        "probabilities/candidate",
        "probabilities/champion",
    )
    for kind in kinds:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for part in range(PARTS):
        name = f"part-{part:05}.csv"
        truth = generator.choice(classes, rows // PARTS, p=SHARES[classes])
        with (folder / "y_test" / name).open("wb") as file:
            file.write(b"readmitted\n" + lines(pa.array(LABELS[classes]).take(pa.array(truth))))
        for model in ("candidate", "champion"):
            with (
                (folder / "labels" / model / name).open("wb") as labels,
                (folder / "probabilities" / model / name).open("wb") as given,
            ):
                for start in range(0, len(truth), CHUNK_ROWS):
                    label, line = answers(generator, truth[start : start + CHUNK_ROWS], classes)
                    labels.write(lines(label))
                    given.write(lines(line))
    made = json.dumps({"rows": rows, "classes": classes})
    (folder / "done").write_text(made)
    print(made)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
