"""Copies elsewhere: where they are stored, what a copy consists of, and how it is encrypted.

A target (`target.StorageTarget`) keeps objects under flat names. They are created, never overwritten.
`object_store.py` keeps them in a bucket, `directory.py` in a directory; `targets.py` makes them from the settings.
`copy_manifest.py` says which objects are one backup; `encryption.py` is age.
"""
