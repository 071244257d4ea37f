"""Copies of backups at targets. A copy is made like this (`send.py`):

    for each file of the backup's manifest, then site.json, then the copy's own manifest:
        skip it where an earlier attempt wrote it, and the target still has it
        note a new random name                                  (a row of the Django database)
        put the file under that name, encrypted where there are recipients
        note size and SHA-256 of the stored bytes
        look at the object: its size; its e_tag where it is the MD5; else read it once more
        note that it is proven
    note that the copy is complete

Killed anywhere, it goes on with what is missing: a name is used for one attempt, and nothing is overwritten. What no
manifest names is left over and removed a day later (`removal.py`). `plan.py` decides what is copied next. Signs of life
come with the bytes that are sent and read back, and of a thread beside them (`heartbeat.py`).
"""
