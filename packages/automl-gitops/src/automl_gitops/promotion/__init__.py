"""From a registered version to production, and back.

`stage` puts a version on the staging endpoint. `propose` opens the pull request for one that was verified there, which
changes `production_file`. Once that is merged, `promote` makes production what the file says: it has a `look` at what
there is, decides on the `steps`, and takes them; `rollout` updates the endpoint and asks it meanwhile.
`rollback` prepares the way back, `status` compares all of it with Git, and `drift` keeps an issue about what differs.
"""
