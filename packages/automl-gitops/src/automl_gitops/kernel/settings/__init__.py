"""The sections of automl.toml, one module each; `automl_gitops.kernel.config` puts them together."""
