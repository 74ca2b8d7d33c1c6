// Light, dark, or as the system: one button that steps through.
import { setTheme, theme, type Theme } from "../theme";
import { Icon, type IconName } from "./icon";

const NEXT_THEME: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };
const THEME_ICON: Record<Theme, IconName> = { auto: "auto", light: "sun", dark: "moon" };
const THEME_WORDS: Record<Theme, string> = { auto: "as the system", light: "light", dark: "dark" };

export function ThemeButton() {
  const words = `Colours: ${THEME_WORDS[theme.value]}. Switch to ${THEME_WORDS[NEXT_THEME[theme.value]]}`;
  return (
    <button
      type="button"
      class="bare"
      aria-label={words}
      title={words}
      onClick={() => setTheme(NEXT_THEME[theme.value])}
    >
      <Icon name={THEME_ICON[theme.value]} />
    </button>
  );
}
