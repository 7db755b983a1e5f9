"""The index of similar issues and stories: a private cache of the table `documents`, searched by every thinking child.

`segment` has the data and its files, `search` the arithmetic, `index` follows the table and keeps the files,
`port` is what nodes ask.
"""
