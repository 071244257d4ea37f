"""Copies of backups elsewhere: what each target has, what it lacks, and what may be done about it.

`places` opens targets, `work` copies what is lacking (a lane of the worker), `overview` tells what is where, `acts` are
what people ask for, `retention` removes there what the rules no longer keep, `evidence` feeds the assurance.
"""
