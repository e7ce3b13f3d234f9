"""The door: who is let in."""

from starlette.testclient import TestClient

from support.served import ROW, app_of


def test_token_is_asked_for_where_one_is_set(served_copy, monkeypatch):
    monkeypatch.setenv("SERVE_TOKEN", "a-secret")
    with TestClient(app_of("tiny")) as client:
        for headers in ({}, {"Authorization": "Bearer another"}, {"Authorization": "a-secret"}):
            for path in ("/", "/model-info", "/metrics", "/openapi.json", "/nowhere"):
                assert client.get(path, headers=headers).status_code == 401, path
            assert client.post("/predict", json=ROW, headers=headers).status_code == 401
        assert client.get("/health").status_code == client.get("/ready").status_code == 200
        assert (
            client.post(
                "/predict", json=ROW, headers={"Authorization": "Bearer a-secret"}
            ).status_code
            == 200
        )


def test_without_a_token_only_loopback_is_served(served_copy):
    with TestClient(app_of("tiny"), base_url="http://192.0.2.1") as client:
        assert client.post("/predict", json=ROW).status_code == 401
        assert client.get("/health").status_code == 200
    with TestClient(app_of("tiny"), base_url="http://127.0.0.1") as client:
        assert client.post("/predict", json=ROW).status_code == 200
