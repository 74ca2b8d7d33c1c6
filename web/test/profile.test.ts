import { describe, expect, test } from "vitest";
import { hoursOf, newPeriod, newProfile, profileOf, scheduleWords, secondsOf, stepsOf } from "../src/data/profile";

test("hours and minutes to seconds, and back", () => {
  expect(["0:00", "6:30", "24", "168:00"].map(secondsOf)).toEqual([0, 23_400, 86_400, 604_800]);
  expect(["", "6:60", "x", "-1:00", "1:5"].map(secondsOf)).toEqual([null, null, null, null, null]);
  expect(hoursOf(23_400)).toBe("6:30");
});

describe("a profile as it is typed", () => {
  const typed = { ...newProfile(4), start: "2026-03-01T22:00:00Z", kind: "Recurring", hours: "24:00", periods: [newPeriod("0:00", "16"), newPeriod("6:30", "6,5")] };

  test("becomes the profile of the standard", () => {
    expect(profileOf(typed)).toEqual({
      problems: new Map(),
      profile: {
        chargingProfileId: 4,
        stackLevel: 0,
        chargingProfilePurpose: "TxDefaultProfile",
        chargingProfileKind: "Recurring",
        recurrencyKind: "Daily",
        chargingSchedule: {
          duration: 86_400,
          startSchedule: "2026-03-01T22:00:00.000Z",
          chargingRateUnit: "A",
          chargingSchedulePeriod: [
            { startPeriod: 0, limit: 16 },
            { startPeriod: 23_400, limit: 6.5 },
          ],
        },
      },
    });
  });
  test("periods begin at nothing and go forward", () => {
    const bad = { ...typed, periods: [newPeriod("1:00", "16"), newPeriod("0:30", "x")] };
    expect([...profileOf(bad).problems.keys()]).toEqual([0, 1].flatMap((n) => [`chargingSchedule.chargingSchedulePeriod[${n}].startPeriod`]).concat("chargingSchedule.chargingSchedulePeriod[1].limit"));
  });
  test("one without a moment to begin is refused, but for one relative to its charge", () => {
    expect([...profileOf({ ...typed, start: "" }).problems.keys()]).toEqual(["chargingSchedule.startSchedule"]);
    expect(profileOf({ ...typed, kind: "Relative", start: "" }).problems.size).toBe(0);
  });
});

test("a schedule is drawn as steps that end with it", () => {
  const schedule = { chargingRateUnit: "A" as const, chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }, { startPeriod: 600, limit: 6, numberPhases: 1 }, { startPeriod: 9000, limit: 1 }] };
  expect(stepsOf(schedule, 100, 3600)).toEqual({ t: [100, 700, 3700], limit: [16, 6, 6] });
  expect(stepsOf({ ...schedule, chargingSchedulePeriod: [] }, 100, 3600)).toEqual({ t: [], limit: [] });
  expect(scheduleWords(schedule)).toBe("16 A from 0:00, 6 A from 0:10 on 1 phase, 1 A from 2:30");
});
