"""The nets: encoder, heads, linear text model. One of three packages that may import torch.

The environment variable is set before torch's first import: spinning OpenMP threads make small nets several
times
slower on a machine that other processes share.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
