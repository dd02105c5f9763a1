"""An own sandbox image: the standard one, and third-party packages that the candidate may import.

Nothing else differs: no network at run time, a read-only root, the same runner. The packages lie in a folder that only
the candidate's process has on its path, behind the standard library.
"""

from collections.abc import Callable, Mapping

import docker

from .build import digest, image_tag, pack_context, run_build

# Compiled at build, or each container would do it anew. A file that does not compile (a template, an old test) is not
# this image's business: importing it fails as it does anywhere.
_DOCKERFILE = """\
ARG SANDBOX
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
    return f"{image_tag()}-{digest({**packages, 'Dockerfile': _DOCKERFILE.encode()})}"


def build_own_image(
    client: docker.DockerClient, packages: Mapping[str, bytes], say: Callable[[str], None], *, fresh: bool = False
) -> str:
    """Build the image that holds `packages` on the standard one, which must be there, and return its name.

    `say` hears of each step, `fresh` builds every layer anew. Raises EdittoolError when the build fails.
    """
    tag = own_image_tag(packages)
    contents = {f"packages/{path}": content for path, content in packages.items()}
    context = pack_context({**contents, "Dockerfile": _DOCKERFILE.encode()})
    labels = {PACKAGES_LABEL: ", ".join(distributions(packages))}
    run_build(client, context, tag, say, arguments={"SANDBOX": image_tag()}, labels=labels, fresh=fresh)
    return tag


def distributions(packages: Mapping[str, bytes]) -> list[str]:
    """Return what was installed, as NAME==VERSION."""
    folders = {path.partition("/")[0] for path in packages if path.partition("/")[0].endswith(".dist-info")}
    return sorted(folder.removesuffix(".dist-info").replace("-", "==", 1) for folder in folders)
