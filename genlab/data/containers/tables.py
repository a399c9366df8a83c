"""Columns of Arrow tables as Hugging Face writes them: which holds images, which are labels."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from genlab.data.labels.columns import Column
from genlab.errors import ConfigError, DataError
from genlab.words import near_miss

if TYPE_CHECKING:
    import pyarrow as pa

_USUAL = ("image", "img", "images", "picture", "photo", "jpg", "png", "bytes")


def arrow() -> Any:
    """The module pyarrow.parquet; ConfigError where it is not installed."""
    try:
        import pyarrow.parquet as parquet
    except ImportError as error:
        raise ConfigError("Parquet files need pyarrow: pip install pyarrow") from error
    return parquet


def features(schema: "pa.Schema") -> Mapping[str, Any]:
    """What Hugging Face's metadata say of each column; nothing where there are none."""
    try:
        told = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        found = told["info"]["features"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: kind for name, kind in found.items() if isinstance(kind, dict)}


def image_column(schema: "pa.Schema", wanted: str | None, where: str) -> str:
    """The column of encoded images: binary, or a struct with the field "bytes".

    Of several the one that Hugging Face's metadata call an image, one with a usual name, or the
    first.

    Raises:
        ConfigError: the column that is wanted is none.
        DataError: there is none.
    """
    found = [field.name for field in schema if _holds_images(field.type)]
    if wanted is not None:
        if wanted not in found:
            raise ConfigError(
                f"data.column={wanted} is no column of images of {where}{near_miss(wanted, found)}"
            )
        return wanted
    if not found:
        raise DataError(
            f"data.path={where} has no column of images (bytes, or a struct with bytes) among "
            f"{', '.join(schema.names)[:200]}"
        )
    said = features(schema)
    images = [name for name in found if said.get(name, {}).get("_type") == "Image"]
    usual = [name for name in _USUAL if name in found]
    chosen: str = [*images, *usual, *found][0]
    return chosen


def label_columns(schema: "pa.Schema", image: str) -> list[str]:
    """The columns of text, numbers and truths beside that of the images."""
    return [field.name for field in schema if field.name != image and _is_plain(field.type)]


def as_column(schema: "pa.Schema", name: str, values: Sequence[Any]) -> Column:
    """Values with the names of their classes, where Hugging Face's metadata have some."""
    told = features(schema).get(name, {})
    names = told.get("names") if told.get("_type") == "ClassLabel" else None
    if not (isinstance(names, list) and all(isinstance(each, str) for each in names)):
        names = None
    return Column(name, values, names)


def _holds_images(kind: "pa.DataType") -> bool:
    from pyarrow import types

    if types.is_struct(kind):
        return any(field.name == "bytes" and _is_binary(field.type) for field in kind)
    return _is_binary(kind)


def _is_binary(kind: "pa.DataType") -> bool:
    from pyarrow import types

    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _is_plain(kind: "pa.DataType") -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    tests = (types.is_string, types.is_large_string, types.is_integer, types.is_floating)
    return any(test(kind) for test in (*tests, types.is_boolean))
