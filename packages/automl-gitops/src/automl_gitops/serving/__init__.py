"""Endpoints: what a version is served by, its alarms, its scaling, and the registry that versions come from."""
