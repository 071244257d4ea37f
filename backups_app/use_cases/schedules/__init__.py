"""Schedules: what runs by itself.

overview.py  read them: next runs, what became of past slots, what is overdue
changes.py   add, change, pause, resume, remove; run one now
tick.py      the worker's look, each minute: claim what is due and start it
acts.py      what a schedule starts, and what has to be known before
claims.py    the rows: one worker decides a slot
"""
