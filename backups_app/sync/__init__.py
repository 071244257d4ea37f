"""Brings two databases together without losing a version (`docs/sync.md` explains the rules).

    engine.synchronise             a document of sync_logs, both sides opened, the report; a failure gets its name
      session.run
        pair.begin                 recognise the pair; announce the next generation on both, remote first
        detection.detect           for each side: does its change stream say what changed, or is it scanned?
        listing.plan               the collections of both sides; create_collection makes what is missing on one
        for each collection        collection_sync.copy
          for each batch           of what a scan or the streams name (scan, stream)
            apply_batch            read both versions and the base; decide (decisions, merge: pure); write exactly
          two more rounds          what changed meanwhile or clashed on a unique index
        for each, in reverse       collection_sync.delete: what the deletion guard allows (deletion_guard: pure)
          close                    count what is unresolved
        pair.finish                make the generation the current one; leave the checkpoint for the next sync

Every write compares the bytes that were read (`mongo/exact_writes`): what somebody edited meanwhile is decided again.
What loses a conflict is kept as a replaced version before it is written over. Repeating a sync is always safe.
"""
