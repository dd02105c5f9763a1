"""An own sandbox image: the standard one, and third-party packages that the candidate may import.

Nothing else differs: no network at run time, a read-only root, the same runner. The packages lie in a folder that only
the candidate's process has on its path, behind the standard library. Of the base come the shared libraries that their
compiled parts need.
"""

from collections.abc import Callable, Mapping
from math import ceil

import docker

from ...sandbox_images.python.boundary.limits import LIBRARIES
from .build import STRIPPER, base_of, digest, image_sources, image_tag, pack_context, run_build

_LIBRARIES = """\
ARG BASE
FROM ${BASE} AS libraries
COPY packages/ /edittool/packages/
COPY strip_base.py /build/
RUN ["python3.11", "-P", "-s", "-S", "-B", "/build/strip_base.py", "--libraries", "/edittool/packages", "/out"]
"""
# Compiled at build, or each container would do it anew. A file that does not compile (a template, an old test) is not
# this image's business: importing it fails as it does anywhere.
_PACKAGES = """\
FROM ${SANDBOX}
USER 0:0
COPY packages/ /edittool/packages/
RUN ["/usr/bin/python3", "-P", "-s", "-S", "-B", "-c", "import compileall, py_compile; \\
     compileall.compile_dir('/edittool/packages', quiet=2, \\
     invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)"]
USER 65534:65534
"""
PACKAGES_LABEL = "edittool.packages"


def own_image_tag(packages: Mapping[str, bytes]) -> str:
    """Return the name of the image that holds `packages`, which are paths and contents."""
    return f"{image_tag()}-{digest({**packages, 'Dockerfile': _dockerfile(packages).encode()})}"


def build_own_image(
    client: docker.DockerClient, packages: Mapping[str, bytes], say: Callable[[str], None], *, fresh: bool = False
) -> str:
    """Build the image that holds `packages` on the standard one, which must be there, and return its name.

    `say` hears of each step, `fresh` builds every layer anew. Raises EdittoolError when the build fails, and
    EnvironmentFault where there is no base to take libraries from.
    """
    tag = own_image_tag(packages)
    contents = {f"packages/{path}": content for path, content in packages.items()}
    contents |= {"Dockerfile": _dockerfile(packages).encode(), "strip_base.py": image_sources()[STRIPPER]}
    arguments = {"SANDBOX": image_tag()}
    if _library_bytes(packages):
        arguments |= {"BASE": base_of(client, say)}
    labels = {PACKAGES_LABEL: ", ".join(distributions(packages))}
    run_build(client, pack_context(contents), tag, say, arguments=arguments, labels=labels, fresh=fresh)
    return tag


def _dockerfile(packages: Mapping[str, bytes]) -> str:
    if not _library_bytes(packages):
        return f"ARG SANDBOX\n{_PACKAGES}"
    user = "USER 65534:65534\n"
    libraries = f"ENV {LIBRARIES.decode()}={ceil(_library_bytes(packages) / 2**20)}\nCOPY --from=libraries /out/ /\n"
    return f"ARG SANDBOX\n{_LIBRARIES}{_PACKAGES.removesuffix(user)}{libraries}{user}"


def _library_bytes(packages: Mapping[str, bytes]) -> int:
    return sum(len(content) for content in packages.values() if content.startswith(b"\x7fELF"))


def distributions(packages: Mapping[str, bytes]) -> list[str]:
    """Return what was installed, as NAME==VERSION."""
    folders = {path.partition("/")[0] for path in packages if path.partition("/")[0].endswith(".dist-info")}
    return sorted(folder.removesuffix(".dist-info").replace("-", "==", 1) for folder in folders)
