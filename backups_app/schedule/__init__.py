"""When runs begin by themselves.

slots.py  a cron expression in a named time zone, as moments in UTC      (pure)
due.py    what to do about a schedule now: wait, run, skip, drop         (pure)

each minute, every worker, for each enabled schedule:
    slots since the last one that was decided?   none -> nothing
    claimed slot in the future (clock set back)? -> drop it, and say so
    one slot, on time                            -> run, or wait while another run is active
    older slots                                  -> one late run for all of them, or skip them; both are stated
one compare-and-set on the last decided slot decides which worker acts
"""
