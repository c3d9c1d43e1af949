"""Facts worth keeping: stored, superseded, grounded in turns, recalled."""
