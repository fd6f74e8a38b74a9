"""Long work beside counting: `rebuild` by an operator, dropping old rows always."""
