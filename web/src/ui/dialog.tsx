// The browser's own modal dialog: focus stays inside, Escape closes, the page behind is inert.
import type { ComponentChildren } from "preact";
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export function Dialog(props: { title: string; onClose: () => void; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    element.current?.showModal();
  }, []);
  return (
    <dialog
      ref={element}
      aria-label={props.title}
      onClose={props.onClose}
      onClick={(event) => {
        if (event.target === element.current) element.current?.close();
      }}
    >
      <div class="sheet">
        <h2>{props.title}</h2>
        {props.children}
      </div>
    </dialog>
  );
}

interface Question {
  title: string;
  text: string;
  yes: string;
  danger: boolean;
  answer: (yes: boolean) => void;
}

const question = signal<Question | null>(null);

export function ask(title: string, text: string, yes: string, danger = true): Promise<boolean> {
  return new Promise((answer) => {
    question.value = { title, text, yes, danger, answer };
  });
}

export function Asking() {
  const asked = question.value;
  if (!asked) return null;
  const close = (yes: boolean): void => {
    question.value = null;
    asked.answer(yes);
  };
  return (
    <Dialog title={asked.title} onClose={() => close(false)}>
      <p>{asked.text}</p>
      <div class="row end">
        <button type="button" class="button" autofocus onClick={() => close(false)}>
          Cancel
        </button>
        <button type="button" class={asked.danger ? "button danger solid" : "button primary"} onClick={() => close(true)}>
          {asked.yes}
        </button>
      </div>
    </Dialog>
  );
}
