import pytest

from app.api.settings import ApiSettings
from pipeline.errors import ConfigError


def test_nothing_set_is_closed_to_other_pages_and_bounded() -> None:
    assert ApiSettings.from_environment({}) == ApiSettings(None, (), 20 * 2**20, 16)


def test_everything_set() -> None:
    settings = ApiSettings.from_environment(
        {
            "FERLAB_API_TOKEN": " s3cret+/= \n",
            "FERLAB_CORS_ORIGINS": "https://Example.org, http://localhost:3000,",
            "FERLAB_API_MAX_MB": "5",
            "FERLAB_API_QUEUE": "0",
        }
    )
    origins = ("https://example.org", "http://localhost:3000")
    assert settings == ApiSettings("s3cret+/=", origins, 5 * 2**20, 0)
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FERLAB_API_TOKEN", ""),
        ("FERLAB_API_TOKEN", "two words"),
        ("FERLAB_API_TOKEN", "schlüssel"),
        ("FERLAB_CORS_ORIGINS", "example.org"),
        ("FERLAB_CORS_ORIGINS", "https://example.org/"),
        ("FERLAB_CORS_ORIGINS", "https://*.example.org"),
        ("FERLAB_CORS_ORIGINS", "null"),
        ("FERLAB_API_MAX_MB", "0"),
        ("FERLAB_API_MAX_MB", "1.5"),
        ("FERLAB_API_MAX_MB", "2000"),
        ("FERLAB_API_QUEUE", "-1"),
        ("FERLAB_API_QUEUE", "many"),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} must") as caught:
        ApiSettings.from_environment({name: value})
    if name == "FERLAB_API_TOKEN" and value:
        assert value not in str(caught.value)
