"""Settings as flat keys: `redis.jobqueue.addr`, in which file it stands, how to check it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from webapp.settings.model import SECTIONS_OF_FILE, Settings

_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Key:
    """One setting."""

    name: str
    """With dots: `redis.jobqueue.addr`."""
    file: str
    """The only file in which it may stand: `cacheserver.yaml`."""
    limit: str
    """Completes "it must be …"."""
    default: Any
    type: TypeAdapter[Any]
    is_secret: bool
    is_list: bool

    @property
    def variable(self) -> str:
        """The environment variable: `REDIS__JOBQUEUE__ADDR`."""
        return self.name.upper().replace(".", "__")

    def from_file(self, value: object) -> Any:
        """The checked value, typed as YAML gave it: `true` is no number, `"8080"` neither.

        Raises:
            ValueError: it is not within its limit; the text says both.
        """
        # By way of JSON: there a strict check takes a list for a tuple and a text for a
        # path, but still no text for a number.
        document = json.dumps(value, default=str)
        return self._checked(value, lambda: self.type.validate_json(document, strict=True))

    def from_variable(self, text: str) -> Any:
        """The checked value, given as text; items of a list stand between commas.

        Raises:
            ValueError: it is not within its limit; the text says both.
        """
        return self._from_text(text, text.split(","))

    def from_content(self, text: str) -> Any:
        """The checked value, given as a file's content; each item of a list has its own line.

        Raises:
            ValueError: it is not within its limit; the text says both.
        """
        return self._from_text(text, text.splitlines())

    def _from_text(self, text: str, parts: list[str]) -> Any:
        if self.is_list:
            items = [item.strip() for item in parts if item.strip()]
            return self._checked(text, lambda: self.type.validate_python(items))
        return self._checked(text, lambda: self.type.validate_strings(text))

    def _checked(self, value: object, validate: Callable[[], Any]) -> Any:
        try:
            return validate()
        except ValidationError:
            shown = "not usable (its value is not shown)" if self.is_secret else _short(value)
            raise ValueError(f"{self.name} is {shown}; it must be {self.limit}") from None


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _keys(model: type[BaseModel], prefix: str, file: str) -> Iterator[Key]:
    for word, field in model.model_fields.items():
        name = f"{prefix}.{word}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(field.annotation, name, file)
        else:
            yield _key(name, file, field)


def _key(name: str, file: str, field: FieldInfo) -> Key:
    annotated: Any = field.annotation
    if field.metadata:
        annotated = Annotated[(field.annotation, *field.metadata)]
    return Key(
        name=name,
        file=file,
        limit=field.description or "",
        default=field.default,
        type=TypeAdapter(annotated),
        is_secret=SecretStr in _parts(field.annotation),
        is_list=get_origin(field.annotation) is tuple,
    )


def _parts(annotation: Any) -> list[Any]:
    """The types that an annotation is made of."""
    inner = get_args(annotation)
    return [part for each in inner for part in _parts(each)] if inner else [annotation]


def _all_keys() -> Mapping[str, Key]:
    keys = [
        key
        for file, sections in SECTIONS_OF_FILE.items()
        for section in sections
        for key in _keys(_section(section), section, file)
    ]
    return {key.name: key for key in keys}


def _section(name: str) -> type[BaseModel]:
    annotation = Settings.model_fields[name].annotation
    assert isinstance(annotation, type)
    assert issubclass(annotation, BaseModel)
    return annotation


KEYS = _all_keys()
SECTIONS = frozenset(name.partition(".")[0] for name in KEYS)
