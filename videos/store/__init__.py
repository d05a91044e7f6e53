"""Stored media, the one room for them.

`keys` names files, `backends` are disk and S3, `files` saves, fetches and lists them, `deletions` is the list
of what is to be removed and works it off through `removal`, `installation` makes sure that store and database
belong together, `urls` signs addresses, `uploads` and `direct_uploads` are how files come in, `archive_names`
what they are called outside, `scratch` where they lie in between.
"""
