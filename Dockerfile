# The bot in a container. It reads /config/config.yaml and keeps what it knows in /data:
#   docker run --restart unless-stopped --volume ./config:/config:ro --volume faro-data:/data --env FARO_PASSWORD faro

FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY packaging ./packaging
COPY bot ./bot
COPY plugins ./plugins
RUN python -m venv /opt/faro \
 && /opt/faro/bin/python -m pip install --constraint constraints.txt .

# What was needed to install stays behind in the stage above.
FROM python:3.12-slim
COPY --from=build /opt/faro /opt/faro
RUN install --directory --owner=10001 --group=10001 --mode=0700 /data
ENV PATH=/opt/faro/bin:$PATH HOME=/data PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
# It reads the whole database, which takes seconds for a large one.
HEALTHCHECK --interval=5m --timeout=1m --start-period=5m --retries=2 CMD ["faro", "doctor", "/config/config.yaml"]
ENTRYPOINT ["faro"]
CMD ["run", "/config/config.yaml"]
