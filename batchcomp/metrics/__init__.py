"""How good and how big: MS-SSIM, PSNR, bits per pixel. Knows arrays and tensors only."""
