"""`python -m batchcomp` is `batchcomp`."""

from batchcomp.cli import main

main()
