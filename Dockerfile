# The toolkit itself, to judge and report without installing anything: it drives the engine whose socket it is given.
#   docker build -t edittool .                                  judging and reporting
#   docker build -t edittool --build-arg EXTRAS=report,edit,peft .   editing too (torch, a few GB)
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS built
ARG EXTRAS=report
WORKDIR /source
COPY . .
RUN python3 -m venv /opt/edittool \
 && /opt/edittool/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt ".${EXTRAS:+[$EXTRAS]}"

FROM ${BASE}
COPY --from=built /opt/edittool /opt/edittool
RUN useradd --create-home --uid 1000 edittool && install -d -o edittool -g edittool /data
ENV PATH=/opt/edittool/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER edittool
WORKDIR /data
ENTRYPOINT ["edittool"]
CMD ["--help"]
