"""What the integration tests stand on: the process under test, its peers, and exact bytes between
them."""
