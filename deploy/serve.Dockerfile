# serve.py and what it imports, without the project's data: deploy/serve.yml mounts those.
#
#     docker build -f deploy/serve.Dockerfile -t tabular-serve .
FROM python:3.11-slim

# LightGBM asks for it
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY requirements.txt constraints.txt ./
# without what only the stages import
RUN grep -vE '^(dvc|evidently|optuna|distributed|plotly|imbalanced-learn)==' requirements.txt > serving.txt \
    && pip install --no-cache-dir -r serving.txt
COPY serve.py predict.py params.yaml ./
COPY pipeline ./pipeline

RUN useradd --uid 1000 --no-create-home serve
USER serve
ENV MLFLOW_DISABLE_TELEMETRY=true PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK --interval=10s --start-period=60s CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/ready')"
ENTRYPOINT ["python", "/app/serve.py"]
CMD ["--dataset", "iris", "--host", "0.0.0.0"]
