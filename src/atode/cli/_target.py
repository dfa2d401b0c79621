"""`module:attribute` on the command line → the app it names."""

import importlib
import sys

from atode.app import Atode
from atode.errors import BadOption


def load_app(target: str) -> Atode:
    """Import the module, also from the working directory, and take the app out of it.

    Raises:
        BadOption: the text is not of the form, or there is no such module or app.
    """
    module_name, colon, attribute = target.partition(":")
    if not (module_name and colon and attribute) or module_name.startswith("."):
        raise BadOption(f"{target!r} must be MODULE:APP, such as shop.jobs:jobs")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise BadOption(
                f"there is no module {module_name!r} here or among the installed packages"
            ) from None
        raise
    app = getattr(module, attribute, None)
    if not isinstance(app, Atode):
        apps = sorted(name for name, value in vars(module).items() if isinstance(value, Atode))
        hint = f"; it has {', '.join(apps)}" if apps else ""
        raise BadOption(f"module {module_name!r} has no Atode object {attribute!r}{hint}")
    return app
