"""Generation engines: one portrait + one voice recording (+ a prompt) → one talking video.

Engines are plain Python. They know nothing of batches, credits, Django or HTTP.
"""
