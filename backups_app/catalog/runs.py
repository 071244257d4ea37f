"""`backup_metadata`: one document a run, the one truth that page, API, command and audit read.

    {_id: "20250119_143022", backup_id: "20250119_143022",
     backup_timestamp: Date, created_at: Date, created_by: "ananya", origin: "web",
     backup_path: "backup_20250119_143022", store_id: "…", host: "…",
     status, sync_status, phase, delete_bookings_requested,
     steps: [{name: "sync", state: "done", sentence: "14 pulled, 6 pushed", started_at, finished_at, counts: {…},
              labels: {"bookings": {done: 1240, total: 1240}}}, …],
     collections_backed_up: ["bookings", …], documents, bytes, engine, engine_version, consistency: {…},
     collections_deleted_local: ["activities (50 documents)", …], collections_deleted_remote: […],
     purge: {remote: {bookings: {deleted, gone, kept_changed, kept_ids: […]}, …}, local: {…}},
     kept_changed: {count, ids}, resume_available, error_code, error_message, warnings: [sentence, …],
     owner, fence, heartbeat_at, cancel_requested, cancelled_by, idempotency_key, finished_at}

Every change after the claim is a compare-and-set on (`_id`, `fence`, `phase`): no match means that this process is no
longer the owner, so it stops and touches nothing more.
"""
