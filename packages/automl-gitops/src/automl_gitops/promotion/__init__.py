"""From a verified version to production, and back."""
