"""Who is told what, and when.

states.py   which states begin, last and end, and what is said of each     (pure)
retries.py  when an undelivered message is tried again                     (pure)
"""
