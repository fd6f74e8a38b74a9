"""The board's pure parts, and its doors without a database."""
