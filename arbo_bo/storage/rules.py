"""Words and limits of the store that more than one of its parts knows."""

LARGEST_INDEX = 2**31 - 1
LEASE_EXPIRED = "the lease expired, and no outcome had come"
