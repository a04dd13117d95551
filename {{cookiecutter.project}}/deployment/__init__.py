"""From a registered version to one in production, and back."""
