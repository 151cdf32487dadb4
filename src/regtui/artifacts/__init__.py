"""Files in and out of a replica: listing, storing, handing out and checking them.

`scan` lists what a capture would take, `store` takes it in under the digest of its bytes,
`checkout` hands it out again and `verify` looks for damage. Below them: `ingest` is the algorithm
of taking in, `copying` and `flushing` move bytes and bring them to the disk, `sessions` keeps
unfinished files apart, `layout` says where things lie and `faults` what an operating system's error
means. Which files belong to which version is the replica's business.
"""
