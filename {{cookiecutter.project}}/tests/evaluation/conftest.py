"""The evaluation's code is a folder of flat modules; as in its container, the folder is on the path."""

import sys
from pathlib import Path

EVALUATION = Path(__file__).parents[2] / "evaluation"
sys.path.insert(0, str(EVALUATION))
sys.path.insert(0, str(Path(__file__).parent))
