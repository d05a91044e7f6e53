"""What tests share: users and batches with real rows, small real files, threads that start together."""
