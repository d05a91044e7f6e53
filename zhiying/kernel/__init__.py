"""What every part shares: errors, answers, paging, idempotency, the client's address. Imports no app."""
