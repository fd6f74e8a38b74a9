"""Wire models of every topic; each module name carries the model's version."""
