"""GitHub: settings, pull requests, comments."""
