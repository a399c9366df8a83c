"""Classes that a user names, found among the labels of a data set."""

from collections.abc import Mapping, Sequence

from genlab.errors import ConfigError
from genlab.words import near_miss, some

Classes = Mapping[str, Sequence[str]]


def listed_classes(classes: Classes) -> str:
    """One line that names the labels and their classes, the first of many."""
    if len(classes) == 1:
        ((label, kinds),) = classes.items()
        return f"{label}, of {len(kinds)} classes ({some(kinds)})"
    counts = [f"{label} ({len(kinds)} classes)" for label, kinds in classes.items()]
    return f"{len(counts)} of them: {some(counts)}"


def named_classes(classes: Classes, wanted: object, key: str) -> dict[str, list[int]]:
    """Numbers of the classes by label that `wanted`, the value of the setting `key`, names.

    Args:
        classes: class names by label name.
        wanted: {label: [class, ...]}, or only classes, one or a list, that one label alone has.
        key: what messages call the setting.

    Raises:
        ConfigError: a label or class that there is not, or that several labels have.
    """
    if not isinstance(wanted, Mapping):
        wanted = _by_label(classes, _listed(wanted), key)
    found = {}
    for label, kinds in wanted.items():
        if label not in classes:
            raise ConfigError(f"{key}: the data have no label {label}{near_miss(label, classes)}")
        found[label] = [_number(classes[label], kind, f"{key}.{label}") for kind in _listed(kinds)]
    if not any(found.values()):
        raise ConfigError(f"{key} names no class: name one, or set it to null")
    return found


def _by_label(classes: Classes, kinds: Sequence[str], key: str) -> dict[str, list[str]]:
    """The label of each class."""
    found: dict[str, list[str]] = {}
    for kind in kinds:
        labels = [label for label, names in classes.items() if kind in names]
        if not labels:
            known = [name for names in classes.values() for name in names]
            raise ConfigError(f"{key}={kind}: no such class{near_miss(kind, known)}")
        if len(labels) > 1:
            raise ConfigError(
                f"{key}={kind}: the labels {', '.join(labels)} have such a class: say which, "
                f"'{key}={{{labels[0]}:[{kind}]}}'"
            )
        found.setdefault(labels[0], []).append(kind)
    return found


def _listed(kinds: object) -> list[str]:
    """One class or several as names: those of digits are numbers as they are typed."""
    return [str(kind) for kind in (kinds if isinstance(kinds, list | tuple) else [kinds])]


def _number(names: Sequence[str], kind: str, key: str) -> int:
    if kind not in names:
        raise ConfigError(f"{key}={kind}: no such class{near_miss(kind, names)}")
    return list(names).index(kind)
