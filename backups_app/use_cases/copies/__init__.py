"""Copies of backups elsewhere: what each target has, what it lacks, and what may be done about it.

`places` opens targets, `work` copies what is lacking (a lane of the worker), `overview` says what is where, `acts` are
what people ask for, `removing` removes one copy by name, `unknown` finds what no row knows and takes it in, `upkeep`
removes what the rules no longer keep there, `neighbours` says what the other copies there need, `evidence` feeds the
assurance.
"""
