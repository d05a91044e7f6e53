"""What a portrait does over time, and what a prompt changes of it."""
