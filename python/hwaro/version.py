"""Versions, under the names that programs look for."""
__version__ = "2.13.0+hwaro0.1.0"
hwaro = "0.1.0"
debug = False
cuda = None
hip = None
xpu = None
rocm = None
git_version = "unknown"
