"""One run of the suite. Imports go one way: session, pool, worker, bridge, then controls, recorder and plan."""
