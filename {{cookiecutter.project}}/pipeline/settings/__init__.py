"""The sections of automl.toml, one module each; `pipeline.config` puts them together."""
