"""What is asked and by whom: pure."""
