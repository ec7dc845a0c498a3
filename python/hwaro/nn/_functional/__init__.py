"""The functions of hwaro.nn.functional that are written in Python, by kind."""
