"""Networks that are trained before a generator: pose forecasters and motion regressors."""
