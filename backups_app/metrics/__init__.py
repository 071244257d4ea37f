"""Figures for Prometheus, read from the records at each scrape. The names are a promise (docs/operations.md).

figures.py   the status as metric families
views.py     GET /metrics, and who may read it
"""
