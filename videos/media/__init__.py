"""Intake of uploaded media: proves files whole and brings them into the one form the engines use.

`images.prepare_image`, `image_batch.prepare_images`, `audio.prepare_audio`; what is wrong with a file is a
`problems.MediaProblem`. Plain Python: nothing here knows of Django, users or batches. Nothing is imported
here, so that the child process that decodes a large image does not load FFmpeg.
"""
