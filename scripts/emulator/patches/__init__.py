"""What moto must do for a whole OSMT stack and does not: one file a service, one function a patch.

A patch is a function decorated with `@patch("what moto lacks")`. It is applied when its service is first called, so that an
emulator pays only for what it is asked. Every patch has a check of its own name in `tests/`, which fails as soon as moto no
longer needs the patch.
"""

import importlib
import pkgutil
from typing import Any, Callable, Dict, List, Tuple

_REGISTERED: Dict[str, Tuple[Callable[[], None], str]] = {}
_SERVED_BY = {"elb": "elbv2"}  # both generations of load balancers share one host name
_STORES: Dict[Tuple[str, str, str], Dict[str, Any]] = {}


def patch(lacks: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Registers a patch under `<service>.<function name>`, with one sentence on what moto lacks."""

    def register(install: Callable[[], None]) -> Callable[[], None]:
        service = install.__module__.rsplit(".", 1)[-1]
        _REGISTERED[f"{service}.{install.__name__}"] = (install, lacks)
        return install

    return register


def around(owner: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Puts the function in place of the owner's method of the same name, which arrives as the first argument."""

    def replace(function: Callable[..., Any]) -> Callable[..., Any]:
        original = getattr(owner, function.__name__)

        def replaced(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        replaced.__name__ = function.__name__
        setattr(owner, function.__name__, replaced)
        return replaced

    return replace


def add(owner: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives the owner a method that it does not have."""

    def attach(function: Callable[..., Any]) -> Callable[..., Any]:
        if hasattr(owner, function.__name__):
            raise RuntimeError(f"moto has {owner.__name__}.{function.__name__} by now: drop the patch")
        setattr(owner, function.__name__, function)
        return function

    return attach


def store(response: Any, kind: str) -> Dict[str, Any]:
    """A place for what moto does not remember, one an account, a region and a kind."""
    return _STORES.setdefault((response.current_account, response.region, kind), {})


def services() -> List[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def names(service: str) -> List[str]:
    """The patches of one service."""
    importlib.import_module(f"{__name__}.{service}")
    return [name for name in _REGISTERED if name.startswith(service + ".")]


def apply(dispatcher: str) -> None:
    """Applies the patches of what a dispatcher of moto serves; a service without any is left as it is."""
    service = _SERVED_BY.get(dispatcher, dispatcher)
    if service in services():
        for name in names(service):
            _REGISTERED[name][0]()
