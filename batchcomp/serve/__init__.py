"""A gallery straight from an archive, for browsers: reads only, and shows what the archive holds and nothing else."""
