"""Patches for features that an OSMT stack needs and moto does not have: one file per service, one function per patch.

A patch is a function with the decorator `@patch("what moto does wrong")`. It is applied when its service is first called, so that an
emulator loads only the services that are used. For each patch there is a check with the same name in `tests/`, which fails if moto
no longer needs the patch.
"""

import importlib
import pkgutil
from typing import Any, Callable, Dict, List, Tuple

_REGISTERED: Dict[str, Tuple[Callable[[], None], str]] = {}
_SERVED_BY = {"elb": "elbv2"}  # both generations of load balancers share one host name
_STORES: Dict[Tuple[str, str, str], Dict[str, Any]] = {}


def patch(lacks: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Registers a patch as `<service>.<function name>`, with a sentence on what moto does wrong."""

    def register(install: Callable[[], None]) -> Callable[[], None]:
        service = install.__module__.rsplit(".", 1)[-1]
        _REGISTERED[f"{service}.{install.__name__}"] = (install, lacks)
        return install

    return register


def around(owner: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Replaces the owner's method of the same name. The original method is passed as first argument."""

    def replace(function: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(owner, function.__name__)

        def replaced(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        replaced.__name__ = function.__name__
        setattr(owner, function.__name__, replaced)
        return replaced

    return replace


def add(owner: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds a method to the owner."""

    def attach(function: Callable[..., Any]) -> Callable[..., Any]:
        if hasattr(owner, function.__name__):
            raise RuntimeError(f"moto now has {owner.__name__}.{function.__name__}: remove the patch")
        setattr(owner, function.__name__, function)
        return function

    return attach


def store(response: Any, kind: str) -> Dict[str, Any]:
    """A dictionary for data that moto does not store, per account, Region and kind."""
    return _STORES.setdefault((response.current_account, response.region, kind), {})


def services() -> List[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def names(service: str) -> List[str]:
    """The patches of one service."""
    importlib.import_module(f"{__name__}.{service}")
    return [name for name in _REGISTERED if name.startswith(service + ".")]


def apply(dispatcher: str) -> None:
    """Applies the patches of the service of one of moto's dispatchers."""
    service = _SERVED_BY.get(dispatcher, dispatcher)
    if service in services():
        for name in names(service):
            _REGISTERED[name][0]()
