"""Who may send, how much, and who was turned away."""
