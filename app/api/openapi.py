"""The OpenAPI document: what clients and their generators read."""

from __future__ import annotations

from typing import Any

from app.api.settings import MEGABYTE, ApiSettings
from pipeline import __version__
from pipeline.labels import EMOTIONS, NAMES
from pipeline.recognition.quality import QualityFlag

_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_PIXELS = {"type": "integer", "minimum": 0}


def document(settings: ApiSettings) -> dict[str, Any]:
    """Describes the API, as OpenAPI 3.1, the way it is set up.

    Args:
        settings: Of this server.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "FER Lab",
            "version": __version__,
            "description": (
                "Facial expressions in photos and video frames. Scores say what a face looks like "
                "to the model, not what a person feels. Nothing that is sent is stored."
            ),
        },
        "paths": {
            "/detect_image": {
                "post": _detection(
                    settings,
                    "detectImage",
                    "The expressions of the faces in a photo",
                    file="image",
                    face="Face",
                )
            },
            "/detect_frame": {
                "post": _detection(
                    settings,
                    "detectFrame",
                    "The expressions of the faces in a video frame",
                    file="frame",
                    face="TrackedFace",
                    session={
                        "type": "string",
                        "pattern": "^[A-Za-z0-9._-]{1,64}$",
                        "description": (
                            "One id, such as a random UUID, for all frames of a video: its faces "
                            "keep a `track`, and their scores are smoothed over time."
                        ),
                    },
                )
            },
            "/healthz": {"get": _probe("health", "Whether the server runs", "Health")},
            "/readyz": {
                "get": _probe("readiness", "Whether a model can be used", "Readiness", "503")
            },
            "/openapi.json": {
                "get": {
                    "operationId": "describe",
                    "summary": "This document",
                    "responses": {
                        "200": _json("An OpenAPI document.", {"type": "object"}),
                    },
                }
            },
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _detection(
    settings: ApiSettings,
    operation: str,
    summary: str,
    *,
    file: str,
    face: str,
    session: dict[str, Any] | None = None,
) -> dict[str, Any]:
    properties: dict[str, Any] = {
        file: {"type": "string", "contentMediaType": "application/octet-stream"}
    }
    if session is not None:
        properties["session"] = session
    form = {"type": "object", "required": [file], "properties": properties}
    faces = {"type": "array", "items": _reference(face)}
    refusals = {
        "400": "There is no file, or the form is malformed.",
        "401": "The token is missing or wrong.",
        "408": "The upload took too long.",
        "413": f"The upload is larger than {settings.max_bytes // MEGABYTE} MB.",
        "415": "The file is no image that can be read.",
        "500": "Something unforeseen went wrong.",
    }
    if settings.token is None:
        del refusals["401"]
    operation_object = {
        "operationId": operation,
        "summary": summary,
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": form}}},
        "responses": {
            "200": _json("One entry for each face; none when no face is found.", faces),
            **{status: _json(text, _reference("Error")) for status, text in refusals.items()},
            "503": {
                **_json("Too busy, or there is no model yet.", _reference("Error")),
                "headers": {
                    "Retry-After": {
                        "description": "Seconds to wait; missing when there is no model.",
                        "schema": {"type": "integer"},
                    }
                },
            },
        },
        "security": [] if settings.token is None else [{"token": []}],
    }
    if session is not None:
        operation_object["parameters"] = [
            {"name": "session", "in": "query", "required": False, "schema": session}
        ]
    return operation_object


def _probe(operation: str, summary: str, schema: str, refusal: str | None = None) -> dict[str, Any]:
    responses = {"200": _json("Yes.", _reference(schema))}
    if refusal is not None:
        responses[refusal] = _json("No, and why.", _reference("Error"))
    return {"operationId": operation, "summary": summary, "responses": responses}


def _schemas() -> dict[str, Any]:
    face = {
        "x": {**_PIXELS, "description": "Left edge of the box, in pixels."},
        "y": {**_PIXELS, "description": "Upper edge."},
        "w": {**_PIXELS, "description": "Width."},
        "h": {**_PIXELS, "description": "Height."},
        "emotion": {
            "type": "string",
            "enum": [emotion.title for emotion in EMOTIONS],
            "description": "What the face looks like most.",
        },
        "scores": {
            "type": "object",
            "properties": dict.fromkeys(NAMES, _SHARE),
            "required": list(NAMES),
            "description": "Calibrated probabilities; they sum to 1.",
        },
        "confidence": {**_SHARE, "description": "The highest of the scores."},
        "unsure": {
            "type": "boolean",
            "description": "Whether the confidence is too low to name an emotion.",
        },
        "quality": {
            "type": "array",
            "items": {"type": "string", "enum": [flag.value for flag in QualityFlag]},
            "description": "Reasons to doubt the scores.",
        },
    }
    track = {"type": "integer", "minimum": 1, "description": "Who it is; in a session only."}
    return {
        "Face": {"type": "object", "properties": face, "required": list(face)},
        "TrackedFace": {
            "type": "object",
            "properties": {**face, "track": track},
            "required": list(face),
        },
        "Health": _object(status={"const": "ok"}),
        "Readiness": _object(
            status={"const": "ready"},
            model={"type": "string", "description": "The model's name."},
        ),
        "Error": _object(error={"type": "string", "description": "One sentence: what to do."}),
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
