// Sets the chosen theme before the first paint. Without a choice, the theme is the system's.
const theme = window.localStorage.getItem("theme");
if (theme === "light" || theme === "dark") {
  document.documentElement.dataset.theme = theme;
}
