"""batchcomp: archive folders of photos as standard JPEGs that two small neural networks make better."""

__version__ = "0.1.0"
