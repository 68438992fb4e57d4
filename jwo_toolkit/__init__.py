"""Code that all packages share: the console, processes, pacing, drawing and XML. It imports none of them."""
