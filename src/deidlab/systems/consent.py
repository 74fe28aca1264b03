"""Notes leave this process only where the config says so."""

from __future__ import annotations

from deidlab.types import ConfigError


def require_consent(send_phi: object, system: str, where: str) -> None:
    """Raise `ConfigError` unless `send_phi` is true itself: called before a client is made, so that nothing is sent."""
    if send_phi is not True:
        raise ConfigError(
            f"system={system} sends the full text of every note to {where}: say system.send_phi=true when notes may go "
            "there (an agreement with the provider, or a server of your own)"
        )
