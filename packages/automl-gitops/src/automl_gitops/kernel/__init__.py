"""What everything stands on: configuration, names, AWS, errors, what a terminal shows."""
