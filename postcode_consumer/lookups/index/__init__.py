"""The index of all postcodes on disk: built from open data, memory-mapped, searched without a network.

sources      the files that people can download → records
build        records → one place for each coordinate → the index file
candidates   which places can be the nearest one, for each cell of the country
grid         location → cell → its candidates
file         the index file: its format, how it is written and loaded
search       the nearest place
ellipsoid    earth-centred coordinates and distances on WGS 84
"""
