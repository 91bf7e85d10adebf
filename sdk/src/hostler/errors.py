# SPDX-License-Identifier: Apache-2.0
"""The one tree of errors.

HostlerError
|- InvalidInput          what was asked makes no sense
|  |- ConfigError        ... in a file: which, where, which line
|- NotFound              a VM, pool, volume, network, plan that is not there
|- Conflict              it exists already, or in another form than was asked
|  |- NoRoom             ... no host has room, or somebody else was faster
|  |- Outdated           ... the world is no more as it was when the change was planned
|- PolicyError           the fleet's own policy forbids it (read_only, protected)
|- MissingLibrary        a Python library that this feature needs is not installed
|- InternalError         a defect of Hostler itself
|- BackendError          an outside system refused or failed
|  |- Unreachable        ... could not be reached, or went away
|  |- Denied             ... said that we may not
|  |- Timeout            ... did not answer in time
|  |- Unsupported        ... can't do that at all
|- PlanError             a plan can't be resumed, undone or loaded
   |- PlanFailed         a plan stopped half way; tells what was undone and what was left
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostler.plan.runner import Outcome


class HostlerError(Exception):
    """Base of all errors.

    Attributes:
        what: what failed and why, one sentence without a final stop.
        on: the thing it failed on, for example ``VM 'web' on qemu:///system``.
        hint: what to do next.
        ambiguous: True where a write may have taken effect although it failed here (the
            connection broke, no answer in time); the runner then asks the world before it goes on.
    """

    code = "error"
    ambiguous = False

    def __init__(self, what: str, *, on: str = "", hint: str = "") -> None:
        self.what = what.strip().rstrip(".")
        self.on = on
        self.hint = hint.strip()
        super().__init__(str(self))

    @property
    def reason(self) -> str:
        """What failed on what, without the hint and a final stop: fits into another sentence."""
        return f"{self.on}: {self.what}" if self.on else self.what

    def __str__(self) -> str:
        return f"{self.reason}. {self.hint}" if self.hint else f"{self.reason}."


class InvalidInput(HostlerError):
    """What was asked makes no sense; nothing was touched."""

    code = "invalid_input"


class ConfigError(InvalidInput):
    """A file does not hold what it should.

    Attributes:
        file: the file's name.
        path: where in the document, for example ``vms[0].memory``.
        line: the line, counted from 1, or None where it is not known.
    """

    code = "invalid_config"

    def __init__(
        self, what: str, *, file: str, path: str = "", line: int | None = None, hint: str = ""
    ) -> None:
        self.file, self.path, self.line = file, path, line
        place = file + (f", line {line}" if line else "") + (f", at {path}" if path else "")
        super().__init__(what, on=place, hint=hint)


class NotFound(HostlerError):
    """A thing that was named is not there."""

    code = "not_found"


class Conflict(HostlerError):
    """A thing exists already, or in another form than was asked."""

    code = "conflict"


class NoRoom(Conflict):
    """No host suits a VM, or its room was given away meanwhile."""

    code = "no_room"


class Outdated(Conflict):
    """Somebody else has changed what a plan was made from; planned anew, it may succeed."""

    code = "outdated"


class PolicyError(HostlerError):
    """The fleet's policy forbids the change."""

    code = "policy"


class MissingLibrary(HostlerError):
    """A Python library that this feature needs is not installed."""

    code = "missing_library"


class InternalError(HostlerError):
    """A defect of Hostler itself: an exception that nobody expected."""

    code = "internal"
    ambiguous = True


class BackendError(HostlerError):
    """An outside system refused or failed."""

    code = "backend"


class Unreachable(BackendError):
    """An outside system could not be reached, or went away."""

    code = "unreachable"
    ambiguous = True


class Denied(BackendError):
    """An outside system said that we may not."""

    code = "denied"


class Timeout(BackendError):
    """An outside system did not answer in time."""

    code = "timeout"
    ambiguous = True


class Unsupported(BackendError):
    """An outside system can't do that at all."""

    code = "unsupported"


class PlanError(HostlerError):
    """A plan can't be loaded, resumed or undone."""

    code = "plan"


class PlanFailed(PlanError):
    """A plan stopped half way.

    Attributes:
        outcome: what was done, what was undone and what was left.
        cause: the error of the step that failed.
    """

    code = "plan_failed"

    def __init__(self, outcome: Outcome, cause: HostlerError) -> None:
        self.outcome = outcome
        self.cause = cause
        super().__init__(outcome.sentence(cause), hint=cause.hint)
