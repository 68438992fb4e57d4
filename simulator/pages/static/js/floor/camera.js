// The camera of this device as the gate's reader: frames go to the platform, which looks for a code in them.

import { at, post } from "../api.js";
import { button, fill, h } from "../dom.js";

const EVERY_MS = 350;
const WIDTH = 960;

export class CameraWay {
  /** @param {(send: () => Promise<any>, what: string) => Promise<any>} present shows a scan at the gate
   *  @param {() => string} chosenGate */
  constructor(present, chosenGate) {
    this.present = present;
    this.chosenGate = chosenGate;
    this.video = h("video", { class: "camera", playsinline: true, "aria-label": "What the camera sees" });
    this.video.muted = true;
    this.canvas = document.createElement("canvas");
    this.start = button("Start the camera", { iconName: "camera", kind: "primary", onClick: () => this.open() });
    this.again = button("Look again", { iconName: "repeat", kind: "primary", onClick: () => this.look() });
    this.end = button("Stop the camera", { iconName: "stop", onClick: () => this.close() });
    this.note = h("p", { class: "muted small", role: "status" }, "Hold the QR code of the phone into the picture. The pictures stay on this machine: the platform reads them.");
    this.element = h("div", { class: "stack", "data-gap": "small" }, this.video, h("div", { class: "row" }, this.start, this.again, this.end), this.note);
    this.stream = null;
    this.timer = 0;
    this._showButtons(false);
  }

  async open() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    } catch (error) {
      fill(this.note, cameraProblem(error));
      return;
    }
    this.video.srcObject = this.stream;
    await this.video.play();
    this.look();
  }

  look() {
    this._showButtons(true);
    fill(this.note, "Looking for a code …");
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this._sendFrame(), EVERY_MS);
  }

  close() {
    window.clearTimeout(this.timer);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
    this._showButtons(false);
  }

  async _sendFrame() {
    if (!this.stream) return;
    const frame = await this._frame();
    const gate = this.chosenGate();
    const answer = frame && gate ? await post(`${at`/gates/${gate}/scans`}?frame=true`, frame).catch(() => null) : null;
    if (!this.stream) return;
    if (!answer || answer.light === "off") {
      this.timer = window.setTimeout(() => this._sendFrame(), EVERY_MS);
      return;
    }
    await this.present(async () => answer, "A phone in front of the camera");
    fill(this.note, `The gate has decided${answer.opens ? ": it opens" : ": it stays closed"}. Look again for the next code.`);
    this._showButtons(true, true);
  }

  async _frame() {
    const { videoWidth, videoHeight } = this.video;
    if (!videoWidth) return null;
    const scale = Math.min(1, WIDTH / videoWidth);
    this.canvas.width = videoWidth * scale;
    this.canvas.height = videoHeight * scale;
    this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/jpeg", 0.9));
  }

  _showButtons(isOpen, hasDecided = false) {
    this.start.hidden = isOpen;
    this.end.hidden = !isOpen;
    this.again.hidden = !hasDecided;
    this.video.hidden = !isOpen;
  }
}

function cameraProblem(error) {
  if (error.name === "NotAllowedError") return "The browser does not allow the camera. Allow it for this page, and start again.";
  if (error.name === "NotFoundError") return "This device has no camera. Drop or paste a picture of the code instead.";
  return `The camera does not start (${error.message}). Drop or paste a picture of the code instead.`;
}
