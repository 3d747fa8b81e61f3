"""The pages of AM's gateway that a person sees: login, registration, consent."""
from __future__ import annotations

from html import escape

from starlette.responses import HTMLResponse

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 10vh auto; padding: 0 1rem }}
label {{ display: block; margin: 0.8rem 0 0.2rem }}
input[type=text], input[type=email], input[type=password] {{ width: 100%; padding: 0.5rem; box-sizing: border-box }}
button {{ margin: 1rem 0.5rem 0 0; padding: 0.5rem 1.2rem }}
.error {{ color: #a00 }}
</style>
</head>
<body>
<h1>{title}</h1>
{body}
</body>
</html>
"""


def _page(title: str, body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status)


def _hidden(csrf: str, client_id: str | None = None) -> str:
    fields = {"X-XSRF-TOKEN": csrf, **({"client_id": client_id} if client_id is not None else {})}
    return "\n".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())


def _field(name: str, label: str, kind: str = "text") -> str:
    return f'<label for="{name}">{label}</label>\n<input id="{name}" name="{name}" type="{kind}" required>'


def login(action: str, csrf: str, client_id: str, register: str | None, failed: bool) -> HTMLResponse:
    """The login form; posts to its own URL. register: where the link to registration leads, None without one."""
    error = '<p class="error">Wrong user name or password.</p>' if failed else ""
    link = f'<p><a id="register" href="{escape(register)}">Create an account</a></p>' if register else ""
    return _page(
        "Sign in",
        f'{error}<form method="post" action="{escape(action)}">\n{_hidden(csrf, client_id)}\n'
        f"{_field('username', 'User name')}\n{_field('password', 'Password', 'password')}\n"
        f'<button type="submit">Sign in</button>\n</form>\n{link}',
    )


def registration(action: str, csrf: str, client_id: str) -> HTMLResponse:
    fields = [
        _field("firstName", "First name"),
        _field("lastName", "Last name"),
        _field("username", "User name"),
        _field("email", "Email", "email"),
        _field("password", "Password", "password"),
    ]
    form = "\n".join([_hidden(csrf, client_id), *fields])
    return _page(
        "Create an account",
        f'<form method="post" action="{escape(action)}">\n{form}\n<button type="submit">Create account</button>\n</form>',
    )


def registered() -> HTMLResponse:
    return _page("Account created", "<p>You can sign in now.</p>")


def consent(action: str, csrf: str, client_name: str, scopes: list[str]) -> HTMLResponse:
    boxes = "\n".join(
        f'<label><input type="checkbox" name="scope.{escape(scope)}" value="true" checked> {escape(scope)}</label>'
        for scope in scopes
    )
    return _page(
        f"{client_name} asks for access",
        f'<form method="post" action="{escape(action)}">\n{_hidden(csrf)}\n{boxes}\n'
        '<button type="submit" name="user_oauth_approval" value="true">Allow</button>\n'
        '<button type="submit" name="user_oauth_approval" value="false">Deny</button>\n</form>',
    )


def problem(message: str, status: int = 400) -> HTMLResponse:
    return _page("That did not work", f'<p class="error">{escape(message)}</p>', status)
