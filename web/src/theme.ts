import { signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";

function stored(): Theme {
  const theme = document.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : "auto";
}

const system = window.matchMedia("(prefers-color-scheme: dark)");

export const theme = signal<Theme>(stored());
export const dark = signal(isDark());

function isDark(): boolean {
  return theme.peek() === "auto" ? system.matches : theme.peek() === "dark";
}

export function setTheme(next: Theme): void {
  theme.value = next;
  if (next === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
  dark.value = isDark();
  try {
    localStorage.setItem("theme", next);
  } catch {
    // Forbidden storage: the choice lasts as long as the page.
  }
}

system.addEventListener("change", () => {
  dark.value = isDark();
});
