from __future__ import annotations

import gc

# What tests import lives as long as they do; Python would look through it again and again.
gc.set_threshold(20_000, 20, 100)
