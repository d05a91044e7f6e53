"""Files that no camera or recorder wrote, each with the answer it must get.

`cases.CASES` is the table; `build.build_all(folder)` writes the files.
"""
