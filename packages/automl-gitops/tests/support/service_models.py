"""What botocore works out of its own files for each new client, worked out once in a process.

Each command makes a session of its own, and a process of tests runs hundreds of them: without this, a third of what
they took was the same models again. Nothing is kept that depends on a session, a client or its settings.
"""

from __future__ import annotations

import functools
from typing import Any

import botocore.client
import botocore.hooks
import botocore.loaders
import botocore.regions
import botocore.session
import botocore.useragent

from automl_gitops.kernel import service

_creator = botocore.client.ClientCreator
_aliaser: Any = botocore.hooks.EventAliaser
# By identity, of what lives as long as this process: the loaders' files, and the models made of them.
_models: dict[Any, Any] = {}
_methods: dict[Any, dict[str, Any]] = {}
_providers: dict[Any, Any] = {}
_named: dict[Any, bool] = {}
_aliases: dict[str, str] = {}


def remember() -> None:
    """From now on."""
    for holder, name, function in (
        (botocore.session, "create_loader", _create_loader),
        (_creator, "_load_service_model", _load_service_model),
        (_creator, "_create_methods", _create_methods),
        (botocore.regions, "EndpointProvider", _endpoint_provider),
        (botocore.hooks, "accepts_kwargs", _accepts_kwargs),
        (_aliaser, "__init__", _start_aliaser),
        (botocore.hooks.NodeList, "__copy__", _copy_lists),
        (botocore.useragent, "sanitize_user_agent_string_component", _sanitize),
    ):
        setattr(holder, name, function)


def _create_loader(
    search_path_string: str | None = None, *, _create: Any = botocore.loaders.create_loader
) -> Any:
    return _create(search_path_string) if search_path_string else service.loader()


_sanitize = functools.lru_cache(1024)(botocore.useragent.sanitize_user_agent_string_component)


def _load_service_model(
    self: Any, service_name: str, api_version: Any = None, *, _load: Any = _creator._load_service_model
) -> Any:
    key = (self._loader, service_name, api_version)
    if key not in _models:
        _models[key] = _load(self, service_name, api_version)
    return _models[key]


def _create_methods(
    self: Any, service_model: Any, *, _create: Any = _creator._create_methods
) -> dict[str, Any]:
    if service_model not in _methods:
        _methods[service_model] = _create(self, service_model)
    return dict(_methods[service_model])  # handlers of the session add to it


def _endpoint_provider(
    *,
    ruleset_data: Any,
    partition_data: Any,
    excluded_params: Any = None,
    _make: Any = botocore.regions.EndpointProvider,
) -> Any:
    key = (id(ruleset_data), id(partition_data), id(excluded_params))
    if key not in _providers:
        given = {"ruleset_data": ruleset_data, "partition_data": partition_data}
        _providers[key] = (_make(**given, excluded_params=excluded_params), given)
    return _providers[key][0]


def _accepts_kwargs(func: Any, *, _accepts: Any = botocore.hooks.accepts_kwargs) -> bool:
    code = getattr(func, "__code__", None)  # a bound method has its function's
    if code is None:
        return bool(_accepts(func))
    if code not in _named:
        _named[code] = bool(_accepts(func))
    return _named[code]


def _start_aliaser(
    self: Any, event_emitter: Any, event_aliases: Any = None, *, _start: Any = _aliaser.__init__
) -> None:
    _start(self, event_emitter, event_aliases)
    if self._event_aliases == botocore.hooks.EVENT_ALIASES:
        self._alias_name_cache = _aliases


def _copy_lists(self: Any) -> Any:
    return type(self)(*(part.copy() for part in self))
