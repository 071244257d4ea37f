"""Templates whose constant parts are put together once for each language.

Three of four nodes of a page are always the same: its text, translated words, icons, addresses without arguments. What
lies side by side becomes one node, which renders its parts when a language is asked for the first time and hands out
the same text from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from django.template import Context, Template
from django.template.base import FilterExpression, Node, NodeList, TextNode
from django.template.defaulttags import CommentNode, IfNode, URLNode
from django.template.library import SimpleNode
from django.template.loaders import base, cached
from django.templatetags.i18n import TranslateNode
from django.templatetags.static import StaticNode
from django.urls import get_script_prefix
from django.utils.translation import get_language

from backups_app.pages.shared import wording

CONSTANT_TAGS = (wording.icon, wording.integrity)
"""Simple tags whose answer depends on their arguments alone."""


class _NewTemplates(base.Loader):
    def get_template(self, template_name: str, skip: list[Any] | None = None) -> Template:
        """Return a template that nobody else has yet: it is changed."""
        template = super().get_template(template_name, skip)
        put_together(template.nodelist)
        return template


class ConstantLoader(cached.Loader, _NewTemplates):
    """Keeps each template, as Django's cached loader does, with its constant parts put together."""


class ConstantNode(Node):
    """Constant nodes that lie side by side. `token` and `origin` are the first one's, for messages of failures."""

    def __init__(self, parts: list[Node]) -> None:
        self.parts = parts
        self.token, self.origin = parts[0].token, parts[0].origin
        self._has_addresses = any(isinstance(part, URLNode) for part in parts)
        self._texts: dict[tuple[Any, ...], str] = {}

    def render(self, context: Context) -> str:
        """Return the text of the parts in the language of the page."""
        key = (get_language(), context.autoescape, get_script_prefix() if self._has_addresses else "")
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = "".join(str(part.render_annotated(context)) for part in self.parts)
        return text


def put_together(nodes: NodeList) -> None:
    """Put the constant nodes of a list together, and those of every list inside it."""
    for node in nodes:
        for inner in _lists_of(node):
            put_together(inner)
    nodes[:] = list(_runs(nodes))


def _runs(nodes: NodeList) -> Iterator[Node]:
    run: list[Node] = []
    for node in nodes:
        if _is_constant(node):
            run.append(node)
            continue
        yield from _one(run)
        yield node
        run = []
    yield from _one(run)


def _one(run: list[Node]) -> Iterator[Node]:
    if len(run) == 1 and isinstance(run[0], TextNode):
        yield run[0]
    elif run:
        yield ConstantNode(run)


def _lists_of(node: Node) -> Iterator[NodeList]:
    if isinstance(node, IfNode):
        yield from (nodes for _condition, nodes in node.conditions_nodelists)
        return
    for name in node.child_nodelists:
        inner = getattr(node, name, None)
        if isinstance(inner, NodeList):
            yield inner


def _is_constant(node: Node) -> bool:
    is_so = CONSTANT.get(type(node))
    return is_so is not None and is_so(node)


def _is_word(node: Node) -> bool:
    word = cast("TranslateNode", node)
    wanted = word.filter_expression  # a literal became a variable without a name
    is_literal = not wanted.filters and wanted.var.lookups is None
    return is_literal and not word.asvar and word.message_context is None


def _is_address(node: Node) -> bool:
    address = cast("URLNode", node)
    return not (address.asvar or address.args or address.kwargs) and _is_literal(address.view_name)


def _is_static(node: Node) -> bool:
    static = cast("StaticNode", node)
    return static.varname is None and _is_literal(static.path)


def _is_simple(node: Node) -> bool:
    simple = cast("SimpleNode", node)
    values = [*simple.args, *simple.kwargs.values()]
    return simple.func in CONSTANT_TAGS and simple.target_var is None and all(map(_is_literal, values))


def _is_literal(value: FilterExpression) -> bool:
    return not value.is_var and not value.filters


CONSTANT: dict[type[Node], Callable[[Node], bool]] = {
    TextNode: lambda node: True,
    CommentNode: lambda node: True,
    TranslateNode: _is_word,
    URLNode: _is_address,
    StaticNode: _is_static,
    SimpleNode: _is_simple,
}
