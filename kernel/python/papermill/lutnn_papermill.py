"""Lets papermill put parameters into TypeScript notebooks.

papermill knows translators only by registration, and loads other packages only for their engines: so this module
registers an engine (papermill's own under another name), and its translator on the way.
"""

import json
import math
import re

from papermill.engines import NBClientEngine
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

LARGEST_SAFE_INTEGER = 2**53 - 1


class TypeScriptTranslator(Translator):
    """Writes parameters as `let` declarations: a `const` would have its value as its type."""

    DECLARATION = re.compile(
        r"^\s*(?:let|const|var)\s+(?P<name>[A-Za-z_$][\w$]*)\s*(?::\s*(?P<type>[^=]+?))?\s*=\s*(?P<value>.+?)\s*;?"
        r"\s*(?://\s*(?P<help>.*))?$"
    )

    @classmethod
    def translate_none(cls, val):
        return "null"

    @classmethod
    def translate_str(cls, val):
        return json.dumps(val)

    @classmethod
    def translate_escaped_str(cls, str_val):
        return json.dumps(str(str_val))

    @classmethod
    def translate_int(cls, val):
        return str(val) if abs(val) <= LARGEST_SAFE_INTEGER else f'BigInt("{val}")'

    @classmethod
    def translate_float(cls, val):
        if math.isnan(val):
            return "Number.NaN"
        if math.isinf(val):
            return "Number.POSITIVE_INFINITY" if val > 0 else "Number.NEGATIVE_INFINITY"
        return repr(val)

    @classmethod
    def translate_list(cls, val):
        return f"[{', '.join(cls.translate(item) for item in val)}]"

    @classmethod
    def translate_dict(cls, val):
        entries = (f"{json.dumps(str(key))}: {cls.translate(item)}" for key, item in val.items())
        return f"{{ {', '.join(entries)} }}" if val else "{}"

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".strip()

    @classmethod
    def assign(cls, name, str_val):
        return f"let {name} = {str_val};"

    @classmethod
    def inspect(cls, parameters_cell):
        matches = (cls.DECLARATION.match(line) for line in parameters_cell["source"].splitlines())
        return [
            Parameter(
                name=match["name"],
                inferred_type_name=match["type"] or "None",
                default=match["value"],
                help=match["help"] or "",
            )
            for match in matches
            if match
        ]


papermill_translators.register("typescript", TypeScriptTranslator)


class LutnnEngine(NBClientEngine):
    """papermill's own engine."""
