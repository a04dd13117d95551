"""What the template promises in figures, measured: `make bench`. README.md says how."""
