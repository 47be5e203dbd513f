"""What mmengine lacks: phases' optimisers, safe checkpoints, exact resuming, several processes."""
