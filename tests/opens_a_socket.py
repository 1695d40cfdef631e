"""What no module may do: something, while it is imported. Only `test_imports.py` imports it."""

import socket

socket.socket().close()
