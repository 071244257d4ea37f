"""Backups come back from a target, on a machine that may know nothing of them.

fetch(wanted)
  1. choose the copies: an id, latest, holders, all; bases before what needs them        copy_choices
  2. for each: a backup that is here already is verified and left alone
     else receive its files into .partial-<id>, going on after a cut                     runs/copies/receiving
     verify every byte, adopt its metadata.json, publish                                 adopting
"""
