"""Pages to look at: single HTML files that open from a disk, without a network."""
