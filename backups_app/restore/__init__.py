"""Puts a verified backup back: into the temple's database, or into a marked test copy.

    preview                        what would be written, for a person to confirm (reads only)
    plan.decide                    which collections are taken, which are left out and why               (pure)
    Engine.restore                 for each collection that is taken
      source.digest                what the backup holds; what the safety backup holds of the same collection
      work.decide                  insert, replace, delete, keep: document by document                   (pure)
      create                       the collection, where it is missing, without its rules
      write                        documents, each compared with the safety backup before it is replaced or deleted
      proof.prove                  what is there now against what was planned                            (pure)
      finish                       rules and indexes of a collection that was created here

Nothing is written over that is not in the safety backup: the run dumps and verifies it first
(`runs/restore_pipelines.py`). A restore that broke off is repeated and goes on. `export.py` writes a full backup from
an incremental one.
"""
