"""JSON Schemas of wire models, and what both documents say in the same words."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel
from pydantic.json_schema import (
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    models_json_schema,
)
from pydantic_core.core_schema import (
    DataclassField,
    ModelField,
    TypedDictField,
    WithDefaultSchema,
)
from typing_extensions import override

CONTRACT_VERSION: Final = "1.0.0"
LICENSE: Final = {
    "name": "Apache-2.0",
    "url": "https://www.apache.org/licenses/LICENSE-2.0",
}
_REF: Final = "#/components/schemas/{model}"


class _WireSchemas(GenerateJsonSchema):
    """Leaves out what says nothing, and demands of what we write all its members."""

    @override
    def field_title_should_be_set(self, schema: object) -> bool:
        """Leave titles to models; a member's would repeat its name."""
        return False

    @override
    def field_is_required(
        self, field: ModelField | DataclassField | TypedDictField, total: bool
    ) -> bool:
        """Require what is written: a default is written like any other value."""
        return self.mode == "serialization" or super().field_is_required(field, total)

    @override
    def default_schema(self, schema: WithDefaultSchema) -> JsonSchemaValue:
        """Keep a default where a sender may leave the member out and gets it."""
        built = super().default_schema(schema)
        if self.mode == "serialization" or built.get("default", 0) is None:
            built.pop("default", None)
        return built


def schemas_of(
    models: Sequence[type[BaseModel]], *, mode: JsonSchemaMode = "serialization"
) -> dict[str, object]:
    """Return the schemas of models and of what they hold, by name.

    Args:
        models: Wire models; no two of one name.
        mode: "serialization" for what we write, where nothing is left out;
            "validation" for what we read.
    """
    _, built = models_json_schema(
        [(model, mode) for model in models],
        ref_template=_REF,
        schema_generator=_WireSchemas,
    )
    schemas = built["$defs"]
    assert isinstance(schemas, dict)
    return schemas


def ref(model: type[BaseModel] | str) -> dict[str, object]:
    """Refer to a schema of the same document."""
    name = model if isinstance(model, str) else model.__name__
    return {"$ref": _REF.format(model=name)}
