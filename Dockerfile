# The dashboard in a container. docs/deploy.md says how to start it.
FROM python:3.12.12-slim-trixie

# For an NVIDIA GPU: --build-arg REQUIREMENTS=requirements-gpu.txt
ARG REQUIREMENTS=requirements.txt

WORKDIR /app
# Before the code, so that another version of it does not install TensorFlow again.
COPY requirements*.txt ./
RUN pip install --no-cache-dir -r "$REQUIREMENTS"
COPY . .
# As the unprivileged user nobody could write compiled code beside the modules.
RUN python -m compileall -q . && useradd --uid 1000 --create-home mnist && install -d -o mnist /data
USER mnist

# What ends the server ends the container, and with it every process inside: a training is stopped and kept before.
ENV MNIST_RUNS_DIR=/data/runs \
    MNIST_MODE=public \
    MNIST_ON_EXIT=stop \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_BROWSER_SERVER_ADDRESS=localhost \
    STREAMLIT_SERVER_HEADLESS=true
VOLUME /data
EXPOSE 8501
HEALTHCHECK --start-period=30s --timeout=10s CMD python -c "import os, urllib.request; urllib.request.urlopen(os.path.join('http://127.0.0.1:8501', os.environ.get('STREAMLIT_SERVER_BASE_URL_PATH', '').strip('/'), '_stcore/health'))"
CMD ["python", "-m", "streamlit", "run", "app.py"]
