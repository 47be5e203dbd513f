"""The training algorithm: phases, passes, the context of a step, and the models that run them."""
