"""Secret settings whose value lies in a file that `UPTAKE_..._FILE` names (ADR 0020).

So that a secret need not stand in the environment, which child processes inherit and
process listings show.
"""

import os
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from typing_extensions import override

from shared.errors import SettingsError

PREFIX: Final = "UPTAKE_"
SUFFIX: Final = "_FILE"
BYTES_MAX: Final = 64 * 1024


def secret_names(model: type[BaseSettings]) -> frozenset[str]:
    """Return the names of the fields that hold a secret."""
    return frozenset(
        name
        for name, field in model.model_fields.items()
        if _is_secret(field.annotation)
    )


def _is_secret(annotation: object) -> bool:
    """Tell whether a type is a secret, perhaps an optional or annotated one."""
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


class SecretFiles(PydanticBaseSettingsSource):
    """Gives the secrets that lie in files; an empty variable names none."""

    @override
    def get_field_value(
        self, field: FieldInfo, field_name: str
    ) -> tuple[Any, str, bool]:
        variable = f"{PREFIX}{field_name.upper()}"
        path = os.environ.get(variable + SUFFIX, "")
        if not path or field_name not in secret_names(self.settings_cls):
            return None, field_name, False
        if variable in os.environ:
            raise SettingsError(
                f"bad settings: {variable} and {variable}{SUFFIX}: set only one of them"
            )
        return _read(variable + SUFFIX, Path(path)), field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        """Return what the files hold, by field.

        Raises:
            SettingsError: A file cannot be read, or its variable is set too.
        """
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def _read(variable: str, path: Path) -> str:
    """Return a file's text without the line break that editors put at its end."""
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SettingsError(f"bad settings: {variable}: {path}: {reason}") from None
    if len(content) > BYTES_MAX:
        raise SettingsError(
            f"bad settings: {variable}: {path}: longer than {BYTES_MAX:,} bytes"
        )
    try:
        text = content.decode()
    except UnicodeDecodeError:
        # Its message would show a part of the secret.
        raise SettingsError(f"bad settings: {variable}: {path}: not UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")
