"""How the phone recogniser's weights were made; nothing here is needed to analyse speech."""
