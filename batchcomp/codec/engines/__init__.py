"""What runs a network on one batch of equal tiles: torch on any device, or ncnn's Winograd kernels on the CPU."""
