"""Eyes and their lids."""
