"""Templates whose constant parts are put together show what Django's own loader shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.template import Context, Engine
from django.template.base import TextNode
from django.urls import set_script_prefix
from django.utils import translation

from templeops.constant_templates import ConstantNode

CONSTANT = '<b>{% translate "Backups" %}</b>{# nothing #} {% url "pages:backups" %} {% icon "sun" "big" %}'
VARYING = (
    '{% translate name %}|{% translate "Backups" as word %}{{ word }}|{% url page %}|{% icon name %}'
    '|{% url "pages:run" name %}|{% translate "Backups"|upper %}'
)
INSIDE = (
    '{% if shown %}{% translate "Backups" %}!{% elif other %}{% translate "Show" %}?{% else %}'
    '{% translate "Month" %}.{% endif %}{% for one in many %}{{ one }}{% translate "Show" %} {% empty %}'
    '{% translate "Trash" %}-{% endfor %}{% with a=1 %}{% translate "Month" %}{{ a }}{% endwith %}'
)


def _engine(templates: Mapping[str, str], *, constant: bool) -> Engine:
    inner: Any = [("django.template.loaders.locmem.Loader", dict(templates))]
    loader = "templeops.constant_templates.ConstantLoader" if constant else "django.template.loaders.cached.Loader"
    return Engine(loaders=[(loader, inner)], builtins=Engine.get_default().builtins)


def _both(templates: Mapping[str, str], name: str, **values: Any) -> tuple[str, str]:
    ours, theirs = (_engine(templates, constant=constant).get_template(name) for constant in (True, False))
    texts = [(ours.render(Context(values)), theirs.render(Context(values))) for _ in range(2)]
    assert texts[0] == texts[1]
    return texts[0]


@pytest.mark.parametrize("language", ["en-in", "hi"])
@pytest.mark.parametrize("values", [{}, {"shown": True, "many": [1, 2]}, {"other": 1, "many": [3]}])
@pytest.mark.parametrize("text", [CONSTANT, INSIDE])
def test_the_same_text_in_each_language(text: str, values: dict[str, Any], language: str) -> None:
    with translation.override(language):
        ours, theirs = _both({"a": text}, "a", **values)
    assert ours == theirs


def test_what_depends_on_the_page_is_not_kept() -> None:
    template = _engine({"a": VARYING}, constant=True).get_template("a")
    first = template.render(Context({"name": "sun", "page": "pages:home"}))
    second = template.render(Context({"name": "moon", "page": "pages:find"}))
    assert first != second and "#sun" in first and "#moon" in second and "/find/" in second


def test_one_template_serves_two_languages_and_two_prefixes() -> None:
    template = _engine({"a": CONSTANT}, constant=True).get_template("a")
    shown = []
    for language, prefix in (("en-in", "/"), ("hi", "/"), ("hi", "/temple/"), ("en-in", "/")):
        set_script_prefix(prefix)
        with translation.override(language):
            shown.append(template.render(Context()))
    set_script_prefix("/")
    assert len(set(shown)) == 3 and shown[0] == shown[3]
    assert 'href="/temple/' not in shown[1] and "/temple/admin/" in shown[2]


def test_blocks_of_a_page_and_its_frame() -> None:
    templates = {
        "frame": '<h1>{% translate "Backups" %}{% block head %}{% translate "Month" %}{% endblock %}</h1>',
        "page": '{% extends "frame" %}{% block head %}{{ block.super }}{% translate "Show" %}{{ x }}{% endblock %}',
    }
    ours, theirs = _both(templates, "page", x="<x>")
    assert ours == theirs and "&lt;x&gt;" in ours


def test_neighbours_are_one_node_and_text_alone_stays() -> None:
    nodes = _engine({"a": CONSTANT + "{{ x }}text"}, constant=True).get_template("a").nodelist
    kinds = [type(node) for node in nodes]
    assert kinds.count(ConstantNode) == 1 and TextNode in kinds
    assert len(nodes) == 3  # what is constant, x, text
