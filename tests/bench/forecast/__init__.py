"""How far the forecast can be trusted, measured on courses whose end is known."""
