"""Generates the message classes from the protos when the package is built.

The protos are those of the repository, `../../proto`; a source distribution carries a copy of
them as `proto`. What is generated goes into wheels and is kept nowhere else, but for an
editable install, which needs it beside the sources.
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = "src"


class ProtosBuildHook(BuildHookInterface[Any]):
    """The step of a build that generates."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        protos = self.protos()
        if self.target_name == "sdist":
            build_data["force_include"][str(protos)] = "proto"
        elif version == "editable":
            generate(protos, Path(self.root, SOURCES), Path(self.root, SOURCES))
        else:
            self.generated = TemporaryDirectory()
            generated = Path(self.generated.name)
            generate(protos, Path(self.root, SOURCES), generated)
            for file in generated.rglob("*.py*"):
                build_data["force_include"][str(file)] = str(file.relative_to(generated))
            build_data["pure_python"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if hasattr(self, "generated"):
            self.generated.cleanup()

    def protos(self) -> Path:
        """Where the protos are."""
        root = Path(self.root)
        for place in (root / "proto", root.parent.parent / "proto"):
            if (place / "onrecord").is_dir():
                return place
        raise FileNotFoundError(
            f"{root} holds no protos, and is not the folder clients/python of a clone; accepted: "
            "pip 21.3 or later, which builds in the clone itself, or a source distribution"
        )


def generate(protos: Path, sources: Path, out: Path) -> None:
    """Generates classes, and stubs with types, from `protos` and the package's own proto."""
    # Only wheels are built with the generator at hand.
    import grpc_tools
    from grpc_tools import protoc

    well_known = Path(grpc_tools.__file__).parent / "_proto"
    services = sorted(str(file) for file in protos.rglob("*_service.proto"))
    messages = sorted(str(file) for file in [*protos.rglob("*.proto"), *sources.rglob("*.proto")])
    common = ["protoc", f"-I{protos}", f"-I{sources}", f"-I{well_known}"]
    for outputs, files in (
        ([f"--python_out={out}", f"--mypy_out=quiet:{out}"], messages),
        ([f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}"], services),
    ):
        if protoc.main([*common, *outputs, *files]) != 0:
            raise RuntimeError(f"the protos in {protos} do not compile")
