"""From the phone to the receipt: a camera sees the phone's code, the gate opens once, and the receipt arrives."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ARGUMENTS, chromium_path

pytestmark = [pytest.mark.browser, pytest.mark.timeout(90)]
SHOPPER, PIN = "ada", "1137"
SIZE = (640, 480)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[httpx.Client]:
    """`jwo play` with the reference connector; a client of its platform."""
    output = tmp_path / "output"
    words = [sys.executable, "-m", "jwo", "play", "--no-browser", "--no-visitors"]
    with output.open("w") as file:
        process = subprocess.Popen(words, stdout=file, stderr=file)
    deadline = time.monotonic() + 60
    while not (found := re.search(r"Open (http://\S+)/ui/", output.read_text())):
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.05)
    with httpx.Client(base_url=found[1], timeout=10) as api:
        yield api
    process.terminate()
    process.wait(20)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """The file that the camera plays."""
    return tmp_path / "camera.y4m"


@pytest.fixture
def camera_browser(browser: Browser, video: Path) -> Iterator[Browser]:
    """A browser with a camera that plays the file."""
    arguments = [*ARGUMENTS, f"--use-file-for-fake-video-capture={video}"]
    launched = browser.browser_type.launch(executable_path=chromium_path(), args=arguments)
    yield launched
    launched.close()


def write_video(picture: bytes, file: Path) -> None:
    """Write a picture as a video of one frame in Y4M."""
    canvas = Image.new("RGB", SIZE, "white")
    with Image.open(io.BytesIO(picture)) as code:
        canvas.paste(code.convert("RGB").resize((400, 400)), (120, 40))
    luma, blue, red = canvas.convert("YCbCr").split()
    half = (SIZE[0] // 2, SIZE[1] // 2)
    planes = luma.tobytes() + blue.resize(half).tobytes() + red.resize(half).tobytes()
    header = b"YUV4MPEG2 W%d H%d F5:1 Ip A1:1 C420jpeg\n" % SIZE
    file.write_bytes(header + 2 * (b"FRAME\n" + planes))


def sign_in(phone: Page, app: str) -> None:
    phone.goto(app)
    phone.locator("#shopper").fill(SHOPPER)
    phone.locator("#pin").fill(PIN)
    phone.locator("form button").click()
    phone.locator("#symbol svg").wait_for()


def test_phone_code_opens_the_gate_once_and_the_receipt_reaches_the_phone(
    store: httpx.Client, camera_browser: Browser, video: Path
) -> None:
    phone = camera_browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    sign_in(phone, store.get("/samples").json()["appUrl"])
    write_video(phone.locator("#symbol").screenshot(), video)
    floor = camera_browser.new_page(viewport={"width": 1440, "height": 900})
    floor.goto(f"{store.base_url}/ui/")
    floor.get_by_role("tab", name="Camera").click()
    floor.get_by_role("button", name="Start the camera").click()
    expect(floor.locator(".light-word")).to_have_text("Open", timeout=15_000)
    expect(floor.locator(".gate-who")).to_contain_text(SHOPPER)
    floor.get_by_role("button", name="Look again").click()
    expect(floor.locator(".gate-cause")).to_contain_text("The connector refuses this code", timeout=15_000)
    floor.locator(".goods", has_text="Lemon, each").click()
    expect(floor.locator(".cart-lines li")).to_contain_text("Lemon, each")
    floor.get_by_role("button", name="Walk out", exact=True).click()
    expect(floor.locator(".people .person")).to_have_count(0)
    _wait_for_delivery(store)
    phone.reload()

    expect(phone.locator("body")).to_contain_text("0.69", timeout=15_000)
    assert [one["state"] for one in store.get("/deliveries").json()] == ["delivered"]


def _wait_for_delivery(store: httpx.Client) -> None:
    deadline = time.monotonic() + 15
    while store.get("/deliveries/counts").json().get("delivered") != 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
