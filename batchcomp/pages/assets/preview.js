// The page of `preview`.

function startPreview() {
  const viewer = new Viewer(dataOf("abouts"));
  const buttons = [...document.querySelectorAll(".look")];
  const mark = () => {
    for (const button of buttons) {
      const row = button.closest("tr");
      const on = Number(button.dataset.view) === viewer.index && button.dataset.level === viewer.level;
      if (on) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      viewer.level = button.dataset.level;
      viewer.open(Number(button.dataset.view), true);
    });
  }
  document.addEventListener("viewchange", mark);
  mark();
}
startPreview();
