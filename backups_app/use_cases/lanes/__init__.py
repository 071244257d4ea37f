"""Work that takes longer than a request and is no run: verifying, comparing, previewing a restore, and a sync.

asking.ask(kind, arguments)                   in a request: work that only reads
    somebody asked for the same and it waits, runs, or is done since a few minutes → that job
    do it here for a second                                                    → its result, kept for the others
    it takes longer                                                        → a job that waits; the page polls

carrying_out.work()                           in one of two reading processes of a worker that has the store
    take the oldest job that waits; while it runs, write how far it is, twice a second
    nobody asked for 30 s                                                      → given up, and forgotten
    its process died                                                           → it waits again, once

syncs.start(wish)                             in a request; a sync takes the lease: a job of the lane `runs`
    taken within a minute by that lane's process, or closed: nothing a person confirmed begins much later
"""
