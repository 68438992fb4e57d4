"""The look of the pages that the kit writes as files: one frame, one style, and parts that several pages use.

A page is one file that opens from disk: it loads nothing. `rendering.py` makes it; a package extends `page.html.j2`.
"""
