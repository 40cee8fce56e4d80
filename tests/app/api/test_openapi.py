from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from app.api.openapi import document
from app.api.routes import Api
from app.api.settings import ApiSettings


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in a document."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for part in value if isinstance(value, list) else ():
        yield from nodes(part)


def validator(specification: dict[str, Any], path: str, status: str) -> Draft202012Validator:
    """Of what an address answers."""
    (operation,) = specification["paths"][path].values()
    schema = operation["responses"][status]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": specification["components"]})


def test_describes_every_route_and_method() -> None:
    api = Api(ApiSettings())
    described = {
        (path, method.upper())
        for path, operations in document(ApiSettings())["paths"].items()
        for method in operations
    }
    routes = api.routes()
    assert {path for path, _ in described} == {route.path for route in routes}
    posts = {route.path for route in routes if route.path.startswith("/detect")}
    assert {path for path, method in described if method == "POST"} == posts


def test_is_a_sound_openapi_document() -> None:
    specification = document(ApiSettings())
    assert specification["openapi"] == "3.1.0"
    assert {"title", "version"} <= specification["info"].keys()
    operations = [
        operation for item in specification["paths"].values() for operation in item.values()
    ]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for node in nodes(specification):
        if "$ref" in node:
            *_, kind, name = node["$ref"].split("/")
            assert name in specification["components"][kind]
    for schema in specification["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for operation in operations:
        for response in operation["responses"].values():
            assert response["description"]
            for content in response["content"].values():
                Draft202012Validator.check_schema(content["schema"])


def test_answers_are_as_described(url: str, astronaut: bytes) -> None:
    specification = requests.get(f"{url}/openapi.json", timeout=10).json()
    photo = requests.post(f"{url}/detect_image", files={"image": astronaut}, timeout=30).json()
    validator(specification, "/detect_image", "200").validate(photo)
    frame = requests.post(
        f"{url}/detect_frame", files={"frame": astronaut}, data={"session": "s"}, timeout=30
    ).json()
    validator(specification, "/detect_frame", "200").validate(frame)
    refusal = requests.post(f"{url}/detect_image", timeout=10).json()
    validator(specification, "/detect_image", "400").validate(refusal)
    for path in ("/healthz", "/readyz", "/openapi.json"):
        answer = requests.get(f"{url}{path}", timeout=10).json()
        validator(specification, path, "200").validate(answer)
    del photo[0]["scores"]["happy"]
    with pytest.raises(ValidationError):
        validator(specification, "/detect_image", "200").validate(photo)


def test_says_how_this_server_is_set_up(serve: Callable[..., str]) -> None:
    url = serve(ApiSettings(token="s3cret", max_bytes=3 * 2**20))
    answer = requests.get(f"{url}/openapi.json", timeout=10)
    operation = answer.json()["paths"]["/detect_image"]["post"]
    assert operation["security"] == [{"token": []}]
    assert "3 MB" in operation["responses"]["413"]["description"]
    assert "s3cret" not in answer.text
