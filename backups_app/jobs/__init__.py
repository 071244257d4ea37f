"""The queue of jobs: work for the lane `runs`, kept as rows of the Django database.

    broker      says that a job waits, by Celery, to every worker (JOBS_BROKER_URL)
    backend     adds the row of a job, then says so
    listening   a worker's thread that hears it
    queue       takes the job that waits and carries it out, one at a time

A message has no contents. A lost one costs `LOOK_SECONDS`, and one that arrives twice finds nothing to do: a job is
begun by who changes its row, and a run by who claims its record under the lease.
"""
