"""What a maintainer of the template runs."""
