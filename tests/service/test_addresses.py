"""Addresses by a geocoder: asked where the host names one, and nothing of the asker but the text goes to it."""

import pytest
from tests import browsers
from tests.service.test_live_page import Visit

from qpvgeo.service.geocoder import Geocoder


def test_without_a_geocoder_there_is_no_such_path(client):
    assert client.get("/v1/addresses", params={"q": "1 rue du Port"}).status_code == 404
    assert "/v1/addresses" not in client.get("/openapi.json").json()["paths"]
    assert "data-addresses" not in client.get("/").text


def test_an_address_is_found_and_located_as_well_as_it_was_geocoded(geocoding, geocoder, inside):
    lon, lat, code = inside
    client = geocoding.client
    geocoder.knows("1 Rue du Port 99001 Port-Brume", lon, lat)
    answer = client.get(
        "/v1/addresses", params={"q": "1 rue du port", "limit": 3}, headers={"x-forwarded-for": "9.9.9.9"}
    )
    found = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    assert found["geocoder"] == geocoder.url.split("/")[2]
    assert [one["label"] for one in found["addresses"]] == ["1 Rue du Port 99001 Port-Brume"]
    path, headers = geocoder.seen[-1]
    assert path == "/geocodage/search?q=1+rue+du+port&limit=3"
    assert headers["user-agent"].startswith("qpvgeo/")
    assert "9.9.9.9" not in str(headers)
    one = found["addresses"][0]
    asked = {"lon": one["lon"], "lat": one["lat"], "type": one["type"], "score": one["score"]}
    assert client.get("/v1/locate", params=asked).json()["qpv_code"] == code
    geocoder.knows("Rue du Port", lon, lat, kind="street")
    one = client.get("/v1/addresses", params={"q": "rue du port"}).json()["addresses"][0]
    asked = {"lon": one["lon"], "lat": one["lat"], "type": one["type"], "score": one["score"]}
    assert client.get("/v1/locate", params=asked).json()["reason"] == "location too coarse"
    assert "rue du port" not in geocoding.log()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"<html>", 200),
        (b"{}", 500),
        ({"features": None}, 200),
        ({"features": [7]}, 200),
        ({"features": [{"geometry": {"coordinates": ["a", 1]}, "properties": {}}]}, 200),
        (b'{"features": [' + b" " * 2_000_000 + b"]}", 200),
        ([], 200),
    ],
)
def test_a_geocoder_that_answers_otherwise_is_said_to(geocoding, geocoder, said, status):
    geocoder.said, geocoder.status = said, status
    try:
        answer = geocoding.client.get("/v1/addresses", params={"q": "a"})
    finally:
        geocoder.status = 200
    assert (answer.status_code, answer.json()["key"]) == (503, "service.geocoder_failed")
    assert "/v1/locate" in answer.json()["way_out"]
    assert geocoding.client.get("/health").json()["status"] == "ok"


def test_a_geocoder_that_is_down_is_said_to_be():
    gone = Geocoder("http://127.0.0.1:9/search")
    with pytest.raises(Exception, match="does not answer") as caught:
        gone.find("a", 1)
    assert caught.value.key == "service.geocoder_failed"


def test_the_document_has_the_path(geocoding):
    assert "/v1/addresses" in geocoding.client.get("/openapi.json").json()["paths"]


def test_the_page_finds_an_address_and_says_where_it_lies(geocoding, geocoder, inside):
    lon, lat, code = inside
    geocoder.knows("1 Rue <b>du</b> Port", lon, lat)
    with browsers.chromium() as browser:
        seen = Visit(browser, geocoding.about["url"] + "/")
        assert "une adresse" in seen.tab.inner_text("label[for=live-q]")
        seen.tab.fill("#live-q", "1 rue du port")
        seen.tab.press("#live-q", "Enter")
        seen.tab.wait_for_selector("#live-found button")
        seen.tab.click("text=1 Rue <b>du</b> Port")
        assert code in seen.answer()
        assert seen.foreign() == []
        assert seen.faults == []
        seen.close()
