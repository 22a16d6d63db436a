"""Using trained models: prediction, the model worker, the assist process. May import torch, inside functions
where the web
process could come along."""
