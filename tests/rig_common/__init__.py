# SPDX-License-Identifier: MIT
"""What the rigs of crash/, interop/ and sendmail/ share. Their __init__.py puts tests/ on the path for it."""
