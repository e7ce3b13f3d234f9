"""An S3 store on loopback."""

import pytest

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
}
BUCKET = "results"


@pytest.fixture
def s3_server(monkeypatch):
    """The address of an S3 server that has the bucket BUCKET; its keys are in the environment."""
    import boto3
    from moto.server import ThreadedMotoServer

    for key, value in KEYS.items():
        monkeypatch.setenv(key, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket=BUCKET)
    yield address
    server.stop()
