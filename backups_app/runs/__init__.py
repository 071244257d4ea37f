"""The engine that carries a run out.

    use_cases: start             write the run's document, queued                       (one active run: a unique index)
    worker.execute
      lease.held                 one run at a time; renewed until the block ends       RunActive: somebody else holds it
      runs.claim                 compare-and-set: this process owns the run             None: claimed, stopped or closed
      clearing.clear_the_way     unfinished copies of dead runs; trash of more than a day
      runner.carry_out           of a run that was opened for Resume, the steps of its purge again
        for each step of the pipeline, in its order        (pipelines.py, restore_pipelines.py)
          enter                  phase and step in one compare-and-set; a cancel is obeyed where the step allows it
          perform                the work: dump, verify, publish, purge, … (steps/); a failure ends the loop
          record                 how it ended: in the document, and in the copy that later steps read
        closing.finish           outcome from what is there (outcome.py), metadata.json, document, audit trail

    housekeeping.tick            every minute in the worker, and before a run starts:
      recovery.recover           close what a dead process left, decided by the folder
      rebuild_records            write lost records again

A run is one document (`catalog/run/run_record.py`). Every change of it is a compare-and-set on its fence
(`catalog/run/run_writers.py`): no match means that another process owns the run, and this one stops.
What a step is called and may do it declares itself (`declarations.py`). Reading writes nothing (`description/`).
"""
