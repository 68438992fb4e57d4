"""What the rooms share and what belongs to none of them: processes, pacing, the collector, checkpoints, drawing and XML. It imports no room."""
