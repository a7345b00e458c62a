# The proxy as an image: docker build --file deploy/proxy.Dockerfile --tag coderunner-proxy .
FROM python:3.12-slim
COPY LICENSE README.md pyproject.toml /src/
COPY extension /src/extension
RUN pip install --no-cache-dir "/src[proxy,postgresql]" && rm -rf /src
# Nobody: it needs no rights, and writes below /data alone.
USER 65534:65534
ENV HOME=/data
ENTRYPOINT ["coderunner", "proxy"]
