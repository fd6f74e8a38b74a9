"""`make fuzz`: hostile input, made up by machines, for the parsers and the doors."""
