// Line icons on a 20 px grid, drawn with the text colour.
const PATHS = {
  overview: "M3 3h6v8H3zM11 3h6v5h-6zM11 10h6v7h-6zM3 13h6v4H3z",
  sessions: "M3 5h14M3 10h14M3 15h9",
  cards: "M2.5 5h15v10h-15zM2.5 8.5h15M5.5 12h3",
  tree: "M10 3v4M4.5 17v-4M15.5 17v-4M10 17v-4M4.5 13V10h11v3M10 7v6",
  doctor: "M5 3v4a4 4 0 0 0 8 0V3M9 11v2a4 4 0 0 0 8 0v-2M17 11a1.6 1.6 0 1 0 0-.1",
  bolt: "M11 2 4.5 11.5H10L9 18l6.5-9.5H10z",
  station: "M4 17V4.5A1.5 1.5 0 0 1 5.5 3h5A1.5 1.5 0 0 1 12 4.5V17M2.5 17h11M6 6.5h4M12 10h1.5a1.5 1.5 0 0 1 1.5 1.5V13a1.25 1.25 0 0 0 2.5 0V7.5L15 5",
  sun: "M10 6.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7M10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6 16 16M16 4l-1.4 1.4M5.4 14.6 4 16",
  moon: "M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7z",
  auto: "M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15M10 2.5v15M13 4v12M15.5 6v8",
  leave: "M8 3H3.5v14H8M12.5 6.5 16 10l-3.5 3.5M16 10H7.5",
  right: "M3 10h13M11.5 5.5 16 10l-4.5 4.5",
  left: "M17 10H4M8.5 5.5 4 10l4.5 4.5",
  open: "M7 4.5 12.5 10 7 15.5",
  pause: "M6.5 4v12M13.5 4v12",
  play: "M6 3.5 16 10 6 16.5z",
  copy: "M7 7h9.5v9.5H7zM13 7V3.5H3.5V13H7",
  download: "M10 3v9.5M5.5 8.5 10 13l4.5-4.5M3.5 17h13",
  close: "M4.5 4.5l11 11M15.5 4.5l-11 11",
  plus: "M10 4v12M4 10h12",
  check: "M4 10.5 8 14.5 16 5.5",
  alert: "M10 3 18 17H2zM10 8v4M10 14.4v.2",
  stop: "M5 5h10v10H5z",
  unlock: "M4.5 9h11v8h-11zM7 9V6a3 3 0 0 1 5.8-1",
  power: "M10 2.5V10M6 4.8a7 7 0 1 0 8 0",
  reload: "M16.5 10a6.5 6.5 0 1 1-2-4.7M16.5 2.5v3.5H13",
  broom: "M12 3 9 9M5 10l7 3.5L10 17l-7.5-2.5zM7 11l-1.5 4",
  limit: "M3.2 14.5a7.5 7.5 0 1 1 13.6 0M10 12.5l4-5",
  house: "M3 9.5 10 3.5l7 6M5 8.5V16.5h10V8.5M8.5 16.5v-4h3v4",
  clock: "M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15M10 5.5V10l3 2",
  info: "M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15M10 9v5M10 6v.2",
  more: "M4 10a1 1 0 1 0 2 0 1 1 0 1 0-2 0M9 10a1 1 0 1 0 2 0 1 1 0 1 0-2 0M14 10a1 1 0 1 0 2 0 1 1 0 1 0-2 0",
  wifi: "M2.5 8a11 11 0 0 1 15 0M5 11a7 7 0 0 1 10 0M7.5 13.8a3.5 3.5 0 0 1 5 0M10 16.4v.2",
  lock: "M4.5 9h11v8h-11zM7 9V6a3 3 0 0 1 6 0v3",
  signal: "M3 17v-3M7.7 17v-6M12.4 17V8M17 17V4",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="9" />
      <path d="M5 21h5V11h6v10h6V11h5" />
    </svg>
  );
}
