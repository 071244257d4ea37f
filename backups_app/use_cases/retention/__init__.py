"""Retention as the faces ask for it. The rules and guards are pure (`backups_app/retention/`); here they are acted on.

policy.py      the one policy: read, set, turn off
facts.py       what the folders, records and locks say of each backup
simulation.py  what a policy would keep and remove, and how far back the history reaches
kept.py        why each backup is kept, and what lies in the trash
prune.py       a pass: by command, and after each good run
removal.py     one backup by name, or why not
taking_out.py  the act: into the trash, under the lease
bringing_back.py  back from the trash
pins.py        pins with notes, releases of holders, acceptances of shrinkages
trash.py       what lay in the trash for a day is unlinked, and earlier where the disk is full
"""
