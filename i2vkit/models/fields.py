"""The names of the fields that parts exchange, and checks that a part's class and its ``Spec`` agree."""

from collections.abc import Iterable
from dataclasses import fields as fields_of
from typing import Any

from i2vkit.errors import ConfigError
from i2vkit.registry import arguments_of, closest_names
from i2vkit.structures import Spec

# Every name that a part may require or accept. A part may provide the names of its side, except those that the
# generator itself adds: the image, the frame before each step of a rollout, and the label as a one-hot vector.
# To add a field, add it here, in ``Content`` or ``Motion``, and in ``Spec``, and a check of it in ``dry_run.py``.
FIELDS = (
    "content.image",
    "content.past",
    "content.code",
    "content.pyramid",
    "motion.code",
    "motion.trajectory",
    "motion.maps",
    "motion.points",
    "motion.flow",
    "motion.condition",
)
FROM_GENERATOR = ("content.image", "content.past", "motion.condition")


def side_of(field: str) -> str:
    """Return the side of a field, "content" or "motion".

    >>> side_of("motion.code")
    'motion'
    """
    return field.split(".")[0]


def check_fields(part: str, attribute: str, names: object, allowed: Iterable[str]) -> None:
    """Raise ``ConfigError`` unless ``names`` is a tuple of names from ``allowed``.

    Args:
        part: Name of the class, for the message.
        attribute: Name of the class attribute that lists the names, for the message.
        names: Value of that attribute.
        allowed: Names from ``FIELDS`` that the attribute may list.

    Raises:
        ConfigError: The message has the first wrong entry, and the allowed or nearest names.
    """
    if not isinstance(names, tuple):
        raise ConfigError(f'{part}.{attribute} is a tuple of names like ("motion.code",), not {names!r}')
    allowed = tuple(allowed)  # an iterable could be used up before the message
    for name in names:
        if name in allowed:
            continue
        if name in FIELDS:
            # The name exists, but not for this role or attribute. Otherwise it is misspelt.
            may = f"; here may stand: {', '.join(allowed)}" if allowed else "; here nothing may stand: leave it empty"
            raise ConfigError(f"{part}.{attribute} names '{name}', which {_reason(name, attribute)}{may}")
        raise ConfigError(f"{part}.{attribute} names '{name}', and no part hands that on; nearest: {_near(name)}")


def _reason(name: str, attribute: str) -> str:
    """Return why a known field is not allowed."""
    if name in FROM_GENERATOR and attribute == "provides":
        return "the generator itself adds"
    return "a part of this kind does not give" if attribute == "provides" else "nothing can give to a part of this kind"


def _near(name: object) -> str:
    """Return the known fields nearest to an unknown name."""
    return closest_names(str(name), FIELDS)


def check_spec(
    part: str, spec: Spec, provides: set[str], expected: Iterable[str], upstream: Spec | None = None
) -> None:
    """Raise ``ConfigError`` unless the ``provides`` of a part's class and its ``spec`` agree.

    Args:
        part: Name of the class, for the message.
        spec: Spec of the built part.
        provides: Names from ``FIELDS`` that the class lists.
        expected: Names from ``provides`` that the spec must have, since another part reads them.
        upstream: The spec that the part was built with, if it adds to one. Fields that the part leaves unchanged do not
            count as its own.

    Raises:
        ConfigError: Class and spec differ in a field, or a variational motion has no code.
    """
    if not isinstance(spec, Spec):
        raise ConfigError(f"{part}.spec is a Spec of what the part gives, not {spec!r}")
    # A field that the class lists and another part reads must have a size in the spec.
    for field in expected:
        if field in provides and not spec.provides(field.split(".")[1]):
            raise ConfigError(
                f"{part}.provides names '{field}', and its spec has {_entry(field)}={_value(spec, field)!r}: set the "
                f"size in the spec, or take the name out of provides"
            )
    # Only of an encoder, which has no upstream: a motion generator keeps ``variational`` even if it drops the code.
    if upstream is None and spec.variational and not spec.code:
        raise ConfigError(
            f"the spec of {part} is variational and has no code: mean and log-variance belong to a code. Give a code "
            f"(B, D), one a clip; for a posterior over time give one a step, (B, T, D), and set code_per_step=True; or "
            f"set variational=False"
        )
    if spec.code_per_step and not spec.code:
        raise ConfigError(f"the spec of {part} has code_per_step=True and no code: give its size, or leave it out")
    upstream = upstream or Spec()
    # The other direction: a field in the spec that the class does not list.
    sides = {side_of(field) for field in provides}
    for field in FIELDS:
        if side_of(field) not in sides or field in provides or field in FROM_GENERATOR:
            continue
        if _value(spec, field) and _value(spec, field) != _value(upstream, field):
            raise ConfigError(
                f"the spec of {part} has {_entry(field)}={_value(spec, field)!r}, and {part}.provides does not name "
                f"'{field}': add the name, so that the builder knows of it"
            )


def checked_spec(part: Any, requested: Iterable[str] | None = None, upstream: Spec | None = None) -> Spec:
    """Return the spec of an encoder or motion generator, after a check that it agrees with the part's class.

    Args:
        part: The built part.
        requested: Names from ``FIELDS`` that another part reads. A part whose constructor asks for ``requested`` may
            leave out the others. By default all fields are expected that the class provides.
        upstream: The spec that a motion generator was built with.

    Raises:
        ConfigError: Class and spec differ in a field.
    """
    takes = arguments_of(type(part))  # None: any
    expected = part.provides
    if requested is not None and (takes is None or "requested" in takes):
        expected = requested
    # An argument such as LabelFusion(noise=0) may have switched these off.
    expected = [field for field in expected if field not in part.optional_outputs]
    check_spec(type(part).__name__, part.spec, part.provides_set(), expected, upstream)
    return part.spec


def _entry(field: str) -> str:
    """Return the name of a field without its side."""
    return field.split(".")[1]


def _value(spec: Spec, field: str) -> object:
    """Return the size that a spec states for a field."""
    return getattr(spec, _entry(field))


# Every field has a size in ``Spec``, except images, whose size the model knows.
assert {_entry(field) for field in FIELDS} - {"image", "past"} <= {entry.name for entry in fields_of(Spec)}
