// Copies a text, and shows a message.

import { toast } from "../toast.js";

export async function copyText(text, title, hint = "") {
  try {
    await window.navigator.clipboard.writeText(text);
    toast("good", title, hint);
  } catch {
    toast("bad", "The browser does not let this page copy", "Select the text and copy it by hand.");
  }
}
