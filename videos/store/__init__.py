"""Stored media: keys, files, their URLs, what is uploaded and what is handed out."""
