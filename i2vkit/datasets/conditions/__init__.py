"""Condition generators: what makes the condition maps of clips, in preparation, for retargeting and to animate."""
