"""An executed notebook as one HTML page that needs nothing from elsewhere: no script, no font, formulas as MathML."""

import html
import json
import re
import subprocess
from pathlib import Path

from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets import Unicode

try:
    from jinja2 import pass_context
except ImportError:  # Jinja before 3.0
    from jinja2 import contextfilter as pass_context

# What stands for a formula until all are translated at once.
MARK = re.compile(r'<span class="lutnn-formula" data-display="(true|false)">(.*?)</span>', re.S)


def mark(tex, display):
    return f'<span class="lutnn-formula" data-display="{"true" if display else "false"}">{html.escape(tex)}</span>'


class FormulaRenderer(IPythonRenderer):
    """Markdown's formulas as marks, the rest as nbconvert has it."""

    def block_math(self, body):
        return mark(body, True)

    def inline_math(self, body):
        return mark(body, False)


class PageExporter(HTMLExporter):
    """JupyterLab's look from a template of ours, and formulas by `translator`."""

    template_name = Unicode("lutnn").tag(config=True)

    def __init__(self, translator, **kw):
        super().__init__(extra_template_basedirs=[str(Path(__file__).parent / "templates")], **kw)
        self.translator = translator

    @pass_context
    def markdown2html(self, context, source):
        renderer = FormulaRenderer(
            escape=False,
            attachments=context.get("cell", {}).get("attachments", {}),
            embed_images=self.embed_images,
            path=context.get("resources", {}).get("metadata", {}).get("path", ""),
            anchor_link_text=self.anchor_link_text,
            exclude_anchor_links=self.exclude_anchor_links,
            **self.lexer_options,
        )
        return MarkdownWithMath(renderer=renderer).render(source)

    def from_notebook_node(self, nb, resources=None, **kw):
        body, resources = super().from_notebook_node(nb, resources, **kw)
        formulas = [{"tex": html.unescape(tex), "display": display == "true"} for display, tex in MARK.findall(body)]
        if formulas:
            answers = iter(self.translate(formulas))
            body = MARK.sub(lambda _: next(answers), body)
        return body, resources

    def translate(self, formulas):
        """MathML, or escaped text, for each formula; all in one call of the translator."""
        done = subprocess.run(self.translator, input=json.dumps(formulas), capture_output=True, text=True, encoding="utf-8", check=True)
        return json.loads(done.stdout)


def notebook_page(notebook, name, translator):
    """The page's HTML. `translator`: the command that reads formulas as JSON and writes their MathML as JSON."""
    body, _ = PageExporter(translator).from_notebook_node(notebook, resources={"metadata": {"name": name}})
    return body
