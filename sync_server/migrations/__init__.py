"""The steps by which the database came to its present shape; `sync_server.migrate` takes them."""
