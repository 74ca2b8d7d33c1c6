// Delay timer and weekly plan between the text of a setting and the fields of an editor.

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export const DAY_NAMES = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

export interface Window {
  days: boolean[]; // Monday first
  from: string; // "22:00"
  to: string; // "06:00" the next day when not later than `from`; "24:00" is the day's end
}

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;

export const isTime = (text: string): boolean => TIME.test(text);

export function readTimer(text: string): { from: string; to: string } | null {
  const [from, to, more] = text.trim().split("-");
  return from && to && more === undefined ? { from: from.trim(), to: to.trim() } : null;
}

const dayOf = (word: string): number => DAYS.findIndex((day) => day === word);

function readDays(text: string): boolean[] | null {
  const days = DAYS.map(() => false);
  for (const part of text.toLowerCase().split(",")) {
    const [first, last, more] = part.trim().split("-").map((word) => dayOf(word.trim()));
    if (first === undefined || first < 0 || more !== undefined || last === -1) return null;
    const end = last ?? first;
    for (let day = first; ; day = (day + 1) % 7) {
      days[day] = true;
      if (day === end) break;
    }
  }
  return days;
}

// null: a text that this editor cannot show (and leaves alone).
export function readWeek(text: string): Window[] | null {
  const windows: Window[] = [];
  for (const part of text.split(";").filter((piece) => piece.trim() !== "")) {
    const cut = part.trim().lastIndexOf(" ");
    const days = cut < 0 ? null : readDays(part.trim().slice(0, cut));
    const times = cut < 0 ? null : readTimer(part.trim().slice(cut + 1));
    if (!days || !times) return null;
    windows.push({ days, ...times });
  }
  return windows;
}

// "mon-fri", "sat,sun", "mon,wed-fri".
export function writeDays(days: readonly boolean[]): string {
  const parts: string[] = [];
  for (let day = 0; day < 7; day += 1) {
    if (!days[day]) continue;
    let end = day;
    while (end < 6 && days[end + 1]) end += 1;
    if (end - day >= 2) {
      parts.push(`${DAYS[day]}-${DAYS[end]}`);
      day = end;
    } else {
      parts.push(String(DAYS[day]));
    }
  }
  return parts.join(",");
}

export const writeWeek = (windows: readonly Window[]): string =>
  windows
    .filter((window) => window.days.some(Boolean))
    .map((window) => `${writeDays(window.days)} ${window.from}-${window.to}`)
    .join("; ");

// "22:00 to 06:00 the next day"
export const windowWords = (from: string, to: string): string => `${from} to ${to}${to <= from ? " the next day" : ""}`;
