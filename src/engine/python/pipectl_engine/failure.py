"""Why an installation did not succeed."""

from __future__ import annotations


class InstallError(Exception):
    """A reason that pipectl knows by its name: `download`, `hash`, `no_wheel`, `disk_full`, `load` or `other`."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why
        self.detail = detail
