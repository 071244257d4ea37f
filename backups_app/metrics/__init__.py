"""What monitoring asks: figures for Prometheus and two probes. The names are a promise (docs/operations.md).

figures.py       the status as metric families, and the `instance` label of all of them
run_figures.py   runs and backups: how many, how old, how large, how long
plan_figures.py  schedules, workers, messages, replaced versions
views.py         GET /metrics, and who may read it
health.py        GET /health/live, GET /health/ready
"""
