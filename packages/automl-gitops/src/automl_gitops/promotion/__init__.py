"""From a registered version to production, and back.

`stage` puts a version on the staging endpoint. `propose` opens the pull request for one that was verified there
(`proposal` is its text), which changes `production_file`. Once that is merged, `promote` makes production what the file
says: `look` at what there is, `decide` on the `steps`, `apply` them. Of these, `rollout` updates the endpoint while a
`probe` asks it, and `approval` says on whose word. `rollback` prepares the way back, `status` compares all of it with
Git, and `drift` keeps an issue about what differs.
"""
