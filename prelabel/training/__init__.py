"""Training in the loop. One of three packages that may import torch; never loaded by the web process."""
