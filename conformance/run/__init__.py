"""One run of the suite. Imports go in one direction: session, pool, worker, bridge, then controls, recorder, plan."""
