# SPDX-License-Identifier: MIT
"""The accounts that the smarthosts know, and authinfo lines for them in the notations that people bring along."""

import base64

USER, OTHER_USER = "me@example.com", "you@example.com"
PASSWORD = 'S3cret pa"ss:word'  # for both; a blank, a quote and a colon must not matter


def netrc(host, user=USER, password=PASSWORD):
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    return f'machine {host} login {user} password "{quoted}"\n'


def sendmail(host, user=USER, password=PASSWORD):
    return f'AuthInfo:{host} "U:{user}" "P={base64.b64encode(password.encode()).decode()}"\n'


def sasl_passwd(host, user=USER, password=PASSWORD):
    return f"[{host}] {user}:{password}\n"


def clsmtpc(host, user=USER, password=PASSWORD):
    return f"{user}:{host}:{password}\n"
