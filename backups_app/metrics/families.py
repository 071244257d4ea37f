"""Metric families of ours. What is not known has no sample: a missing figure is not a zero."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily


def gauge(name: str, explained: str, value: float | None) -> GaugeMetricFamily:
    """Return a family of one figure."""
    return labelled(name, explained, label="", values=[("", value)])


def labelled(
    name: str,
    explained: str,
    *,
    label: str | tuple[str, ...],
    values: Iterable[tuple[str | tuple[str, ...], float | None]],
) -> GaugeMetricFamily:
    """Return a family with a figure for each value of its label, or of several labels."""
    names = (label,) if isinstance(label, str) else label
    family = GaugeMetricFamily(f"templeops_{name}", explained, labels=[one for one in names if one])
    for value_of_label, value in values:
        given = (value_of_label,) if isinstance(value_of_label, str) else value_of_label
        if value is not None:
            family.add_metric([one for one, named in zip(given, names, strict=True) if named], value)
    return family
