// Sends the access token, and opens the pages if it is right.

import { post } from "../api.js";

document.getElementById("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const problem = document.getElementById("problem");
  problem.textContent = "";
  try {
    await post("/ui/session", { token: document.getElementById("token").value }, { quiet: true });
    window.location.assign("/ui/");
  } catch (error) {
    problem.textContent = error.message;
  }
});
