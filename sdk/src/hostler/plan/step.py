# SPDX-License-Identifier: Apache-2.0
"""Step: one change as data. Printed, masked, stored and loaded again; applied through a World."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

from hostler.errors import PlanError

Report = Callable[[float], None]
"""Takes the part of a step that is done, 0.0 to 1.0."""

MASK = "**********"
"""What pydantic writes in place of a SecretStr."""


class World(Protocol):
    """Opens backends for steps; kept open until the fleet is closed."""

    def backend(self, kind: str, target: str) -> Any:
        """Return the backend of a kind (``libvirt``) for a target (a URI)."""


class Step(BaseModel):
    """One change of one thing.

    A subclass sets ``kind`` (unique, for example ``domain.define``), its fields are its arguments.
    A step that can't be undone says why in ``irreversible``. One whose effect does no harm and
    stays when the plan is undone says why in ``kept``. One that only looks (``only_looks``) has no
    effect: it stops a plan when what it sees is wrong, and there is nothing to undo. One that may
    be left half done, and nobody can tell from outside (``starts_over``), counts as in effect when
    a plan is undone, and is taken back and made anew when a plan is resumed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    kind: ClassVar[str]
    irreversible: ClassVar[str] = ""
    kept: ClassVar[str] = ""
    only_looks: ClassVar[bool] = False
    starts_over: ClassVar[bool] = False
    kinds: ClassVar[dict[str, type[Step]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        if "kind" in vars(cls):
            Step.kinds[cls.kind] = cls

    @property
    def summary(self) -> str:
        """One sentence, in the imperative: ``define domain web``."""
        raise NotImplementedError

    @property
    def command(self) -> str:
        """The shell command that an operator would have typed, secrets masked."""
        raise NotImplementedError

    def apply(self, world: World, report: Report) -> None:
        """Make the change.

        Raises:
            HostlerError: it was not made; ``ambiguous`` where that is not certain.
        """
        raise NotImplementedError

    def is_done(self, world: World) -> bool:
        """Ask the world whether the change is in effect."""
        raise NotImplementedError

    def mend(self, world: World) -> None:
        """Put right what a program that died within this step has left; nothing for most steps.

        Called before the world is asked whether the step is in effect.

        Raises:
            HostlerError: it can't be put right.
        """

    def undo(self, world: World) -> None:
        """Take the change back; only for a step that was done, perhaps with masked secrets."""
        raise NotImplementedError

    def lost_secrets(self) -> list[str]:
        """Name the secrets that were masked when the step was stored: they can't be read back."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return [
            name
            for name, value in values.items()
            if isinstance(value, SecretStr) and value.get_secret_value() == MASK
        ]

    def dump(self) -> dict[str, Any]:
        """Return the step as JSON-ready data, secrets masked."""
        return {"kind": self.kind, **self.model_dump(mode="json", exclude_defaults=True)}

    @classmethod
    def load(cls, data: dict[str, Any]) -> Step:
        """Make a step of stored data.

        Raises:
            PlanError: the kind is not known to this version.
        """
        fields = dict(data)
        kind = fields.pop("kind", None)
        if kind not in cls.kinds:
            raise PlanError(
                f"this version of hostler doesn't know the step {kind!r}", hint=StoredStep.hint
            )
        return cls.kinds[kind].model_validate(fields)


class StoredStep(Step):
    """A step of the journal that this version can't load: it can be shown, and nothing else."""

    kind = "stored"
    hint: ClassVar[str] = "Use the version that made the plan."

    text: str
    shown: str
    problem: str

    @property
    def summary(self) -> str:
        """What it was called when it was written."""
        return self.text

    @property
    def command(self) -> str:
        """The command that was written."""
        return self.shown
