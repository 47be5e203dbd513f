"""Networks that are trained before a generator: pose forecasters, motion regressors and landmark regressors."""
