const FIRST_MS = 500;
const LAST_MS = 15_000;

// Doubles up to 15 s, ±25 %: pages that lost the same central do not come back in one moment.
export function retryDelay(attempt: number, random: number): number {
  return Math.min(LAST_MS, FIRST_MS * 2 ** attempt) * (0.75 + 0.5 * random);
}
