"""Which hyper-parameters a workspace trains with: its own file, or one that ships with Tierwise."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from tierwise.config.load import Workspace
from tierwise.config.model_spec import ModelSpec
from tierwise.config.names import hint
from tierwise.config.validation import load_settings
from tierwise.errors import Fault, InvalidInput

_IN_REPOSITORY = Path(__file__).parents[3] / "models"


def load_model_spec(workspace: Workspace) -> ModelSpec:
    """Read `models/<name>.yaml` of the workspace or, where it has none, the shipped one of that name.

    Raises:
        InvalidInput: If there is no such file, with the names there are, or if it has faults.
    """
    name = workspace.settings.potential.model
    folders = (workspace.folder / "models", shipped_models())
    for folder in folders:
        path = folder / f"{name}.yaml"
        if path.is_file():
            return load_settings(ModelSpec, path)
    known = sorted({path.stem for folder in folders if folder.is_dir() for path in folder.glob("*.yaml")})
    what = f"there is no model specification {name!r}; {hint(name, known)}"
    raise InvalidInput(Fault(what, "tierwise.yaml: potential.model", todo=f"write models/{name}.yaml or name another"))


def shipped_models() -> Path:
    """The folder of the specifications that ship with Tierwise, in a checkout or in an installed package."""
    installed = Path(str(resources.files("tierwise"))) / "_models"
    return installed if installed.is_dir() else _IN_REPOSITORY
