"""Which backups are kept, and why.

    facts.py     what retention knows of one backup
    policy.py    the rules: last, daily, weekly, monthly, yearly            (pure)
    shrinkage.py the shrinkage guard: a collection lost more than half                (pure)
    guards.py    what is never removed, each refusal with its code          (pure)
    decision.py  rules, then guards, then what the kept ones need           (pure)

`decision.py` decides:

    for each backup, newest first:
        kept by a rule?                     -> kept, with the rules that keep it
        refused by a guard?                 -> kept, with the guards' codes
        otherwise                           -> removed, with the reason
    for each kept incremental: its base     -> kept
"""
