"""The doctor: looks at everything a run stands on, and says how to mend it."""
