import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Loaded<T> {
  value: T | null; // the last good one stays while it is read again
  error: unknown;
  reload: () => void;
}

// Reads something now and whenever `keys` change; an answer that was overtaken is dropped.
export function useLoad<T>(read: () => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [error, setError] = useState<unknown>(null);
  const turn = useRef(0);
  const reload = useCallback(() => {
    turn.current += 1;
    const mine = turn.current;
    read().then(
      (result) => {
        if (mine !== turn.current) return;
        setValue(result);
        setError(null);
      },
      (problem: unknown) => {
        if (mine === turn.current) setError(problem);
      },
    );
  }, keys);
  useEffect(() => {
    reload();
    return () => {
      turn.current += 1;
    };
  }, [reload]);
  return { value, error, reload };
}
